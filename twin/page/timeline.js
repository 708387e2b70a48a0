
// Timelines: drawn anew for each span of time that is looked at.
const runs = document.getElementById("runs");
if (runs) timelines(JSON.parse(runs.textContent), document.getElementById("timeline"));

function timelines(list, where) {
  const width = 1160, left = 66, right = 12, lanes = 14;
  const panels = { missed: [26, 4 * lanes], latency: [108, 230], rtt: [372, 120], up: [526, 100], whole: [676, 26] };
  const height = 708, routes = ["on the box", "sent", "sent, the box as a backup", "no result"];
  const none = panels.latency[0] + 12; // where tasks without a result stand
  const ratios = [0.02, 3];
  let run, from, to, drag = null, drawn = [];

  // A run with its decisions unpacked, and the ends of its axes.
  function open(p) {
    const r = { ...p, at: [], route: [], inTime: [], priority: [] };
    let at = 0;
    (p.t || []).forEach((step, i) => {
      const code = p.kind.charCodeAt(i) - 65;
      r.at.push(at += step);
      r.route.push(code % 4);
      r.inTime.push((code >> 2) % 2);
      r.priority.push(code >> 3);
    });
    const columns = (p.x || []).map((x, i) => i).filter((i) => p.lost[i] < 100);
    r.rttLow_ = Math.max(1, Math.min(...columns.map((i) => p.rttLow[i])) / 10) || 1;
    r.rttHigh_ = Math.max(10 * r.rttLow_, Math.max(0, ...columns.map((i) => p.rttHigh[i])) / 10);
    r.upHigh_ = Math.max(1, ...(p.upHigh || [])) / 1000;
    const unit = 10 ** Math.floor(Math.log10(r.upHigh_));
    r.upHigh_ = unit * [1, 1.5, 3, 6, 10].find((f) => f * unit >= r.upHigh_ * 0.999);
    return r;
  }

  const x = (t) => left + (width - left - right) * (t - from) / (to - from);
  const time = (px) => from + (to - from) * (px - left) / (width - left - right);
  const overall = (t) => left + (width - left - right) * t / run.length;
  const log = (v, low, high, top, tall) => top + tall - tall * Math.log(Math.min(Math.max(v, low), high) / low) / Math.log(high / low);
  const latency = (i) => run.latency[i] < 0 || !run.deadline[i] ? none
    : log(run.latency[i] / 10 / run.deadline[i], ...ratios, panels.latency[0] + 26, panels.latency[1] - 26);
  const fixed = (v) => v.toFixed(1);

  function element(name, attributes, text) {
    const e = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
    if (text !== undefined) e.textContent = text;
    return e;
  }
  const svg = element("svg", { viewBox: "0 0 " + width + " " + height, "aria-hidden": "true" });
  const add = (name, attributes, text) => svg.append(element(name, attributes, text));
  const path = (cls, d) => { if (d) add("path", { class: cls, d }); };
  const text = (cls, anchor, px, py, what) => add("text", { class: cls, "text-anchor": anchor, x: fixed(px), y: fixed(py) }, what);
  const rect = (px, py, w, h) => "M" + fixed(px) + " " + fixed(py) + "h" + fixed(w) + "v" + fixed(h) + "h" + fixed(-w) + "Z";
  const shapes = [
    (px, py, r) => "M" + fixed(px - r) + " " + fixed(py) + "a" + r + " " + r + " 0 1 0 " + 2 * r + " 0a" + r + " " + r + " 0 1 0 " + -2 * r + " 0Z",
    (px, py, r) => "M" + fixed(px) + " " + fixed(py - 1.3 * r) + "l" + fixed(1.2 * r) + " " + fixed(2.2 * r) + "h" + fixed(-2.4 * r) + "Z",
    (px, py, r) => "M" + fixed(px) + " " + fixed(py - 1.4 * r) + "l" + fixed(1.2 * r) + " " + fixed(1.4 * r) + "l" + fixed(-1.2 * r) + " " + fixed(1.4 * r) + "l" + fixed(-1.2 * r) + " " + fixed(-1.4 * r) + "Z",
    (px, py, r) => "M" + fixed(px - r) + " " + fixed(py - r) + "l" + 2 * r + " " + 2 * r + "m0 " + -2 * r + "l" + -2 * r + " " + 2 * r,
  ];
  const clock = (t, fine) => {
    const s = t / 1000, m = Math.floor(s / 60), rest = s - 60 * m;
    return m + ":" + (fine ? rest.toFixed(fine) : String(Math.floor(rest + 1e-6))).padStart(fine ? 3 + fine : 2, "0");
  };

  function times() {
    const span = to - from;
    const step = [20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 30000, 60000, 120000, 300000, 600000, 1800000, 3600000, 7200000, 14400000].find((s) => span / s <= 12) || 14400000;
    const bottom = panels.up[0] + panels.up[1], fine = step < 100 ? 2 : step < 1000 ? 1 : 0;
    for (let t = Math.ceil(from / step) * step; t <= to; t += step) {
      for (const key of ["missed", "latency", "rtt", "up"]) path("grid", "M" + fixed(x(t)) + " " + panels[key][0] + "v" + panels[key][1]);
      text("tick", "middle", x(t), bottom + 16, clock(t, fine));
    }
  }

  function level(y, label) {
    path("grid", "M" + left + " " + fixed(y) + "H" + (width - right));
    text("tick", "end", left - 7, y + 4, label);
  }

  function axes() {
    const named = { missed: "missed, by priority (0 is the most critical)", latency: "latency in deadlines (logarithmic axis)", rtt: "round trip, ms (logarithmic axis)", up: "uplink, Mbit/s" };
    for (const [key, name] of Object.entries(named)) text("name", "start", left, panels[key][0] - 9, name);
    for (let p = 0; p < 4; p++) text("tick", "end", left - 7, panels.missed[0] + lanes * (p + 0.5) + 4, String(p));
    for (const r of [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2]) level(log(r, ...ratios, panels.latency[0] + 26, panels.latency[1] - 26), r + "×");
    text("tick", "end", left - 7, none + 4, "no result");
    path("deadline", "M" + left + " " + fixed(log(1, ...ratios, panels.latency[0] + 26, panels.latency[1] - 26)) + "H" + (width - right));
    const few = run.rttHigh_ / run.rttLow_ < 60;
    for (let unit = 1; unit <= run.rttHigh_; unit *= 10) {
      for (const f of few ? [1, 2, 5] : [1]) {
        if (f * unit >= run.rttLow_ && f * unit <= run.rttHigh_) level(log(f * unit, run.rttLow_, run.rttHigh_, ...panels.rtt), String(f * unit));
      }
    }
    const digits = run.upHigh_ < 3 ? 2 : run.upHigh_ < 30 ? 1 : 0;
    for (let i = 0; i < 4; i++) level(panels.up[0] + panels.up[1] * (1 - i / 3), (run.upHigh_ * i / 3).toFixed(digits));
    for (const key of ["missed", "latency", "rtt", "up"]) path("axis", "M" + left + " " + (panels[key][0] + panels[key][1]) + "H" + (width - right));
  }

  function link() {
    if (!run.x || !run.x.length) return;
    const n = run.x.length, end = (i) => i + 1 < n ? run.x[i + 1] : run.length;
    const seen = run.x.map((v, i) => i).filter((i) => end(i) > from && run.x[i] < to);
    const edge = (t) => Math.min(Math.max(x(t), left), width - right);
    const rate = (v) => panels.up[0] + panels.up[1] * (1 - v / 1000 / run.upHigh_);
    const rtt = (v) => log(v / 10, run.rttLow_, run.rttHigh_, ...panels.rtt);
    const box = (i, top, bottom) => rect(edge(run.x[i]), top, Math.max(0.4, edge(end(i)) - edge(run.x[i])), Math.max(1.2, bottom - top));
    for (const i of seen) {
      if (!run.lost[i]) continue;
      for (const key of ["latency", "rtt", "up"]) {
        add("path", { class: "gone", d: box(i, panels[key][0], panels[key][0] + panels[key][1]), "fill-opacity": fixed(0.3 + 0.7 * run.lost[i] / 100) });
      }
    }
    path("g0", seen.filter((i) => run.lost[i] < 100).map((i) => box(i, rtt(run.rttHigh[i]), rtt(run.rttLow[i]))).join(""));
    path("area", seen.map((i) => box(i, rate(run.upHigh[i]), panels.up[0] + panels.up[1])).join(""));
    path("g0", seen.map((i) => box(i, rate(run.upHigh[i]), rate(run.upLow[i]))).join(""));
  }

  function decisions() {
    const only = document.getElementById("priority").value;
    const groups = {}, misses = [];
    drawn = [];
    run.at.forEach((t, i) => {
      if (t < from || t > to || only !== "" && String(run.priority[i]) !== only) return;
      const px = x(t), py = latency(i), route = run.route[i];
      drawn.push({ i, px, py });
      if (!run.inTime[i]) misses.push("M" + fixed(px) + " " + (panels.missed[0] + lanes * run.priority[i] + 1) + "v" + (lanes - 2));
      const cls = route === 3 ? "x" : "g g" + route + (run.inTime[i] ? "" : " out");
      (groups[cls] = groups[cls] || []).push(shapes[route](px, py, run.inTime[i] ? 2 : 3));
    });
    for (const cls of Object.keys(groups).sort((a, b) => a.includes("out") - b.includes("out"))) path(cls, groups[cls].join(""));
    path("x", misses.join(""));
  }

  // The whole run, with the part of it that is shown.
  function whole() {
    const [top, tall] = panels.whole;
    path("band", rect(left, top, width - left - right, tall));
    const columns = new Array(360).fill(0);
    run.at.forEach((t, i) => { if (!run.inTime[i]) columns[Math.min(359, Math.floor(360 * t / run.length))]++; });
    const most = Math.max(1, ...columns), wide = (width - left - right) / 360;
    path("g3", columns.map((n, i) => n ? rect(left + i * wide, top + tall * (1 - n / most), wide, tall * n / most) : "").join(""));
    path("here", rect(overall(from), top, Math.max(2, overall(to) - overall(from)), tall));
    text("tick", "start", left, top - 7, "misses in the whole run; the frame is what is shown above");
  }

  function draw() {
    svg.replaceChildren();
    times(); axes(); link(); decisions(); whole();
    if (drag && drag.to !== drag.from) path("chosen", rect(Math.min(drag.from, drag.to), panels.missed[0], Math.abs(drag.to - drag.from), panels.up[0] + panels.up[1] - panels.missed[0]));
    document.getElementById("span").textContent = clock(from, 1) + " to " + clock(to, 1) + " of " + clock(run.length, 1) + ", " + drawn.length + " tasks drawn";
  }

  function look(a, b) {
    const span = Math.min(Math.max(b - a, 200), run.length);
    from = Math.min(Math.max(0, a), run.length - span);
    to = from + span;
    draw();
  }
  function zoom(factor, around = (from + to) / 2) { look(around - (around - from) * factor, around + (to - around) * factor); }
  const moves = {
    in: () => zoom(0.5), out: () => zoom(2), all: () => look(0, run.length),
    left: () => look(from - (to - from) / 4, to - (to - from) / 4), right: () => look(from + (to - from) / 4, to + (to - from) / 4),
  };
  const pressed = { "+": "in", "=": "in", "-": "out", ArrowLeft: "left", ArrowRight: "right", Home: "all" };

  function choose(index) {
    run = open(list[index]);
    for (const note of all("[data-run]")) note.hidden = note.dataset.run !== String(index);
    where.setAttribute("aria-label", "Timeline of " + run.name + ": " + run.note);
    look(0, run.length);
  }

  // Where the pointer is, in the picture's own units.
  function pointer(e) {
    const r = svg.getBoundingClientRect();
    return [(e.clientX - r.left) * width / r.width, (e.clientY - r.top) * height / r.height];
  }
  function describe(i) {
    const took = run.latency[i] < 0 ? "no result" : (run.latency[i] / 10).toFixed(1) + " ms";
    return clock(run.at[i], 2) + ", priority " + run.priority[i] + ", " + routes[run.route[i]] + ": " + took + " of " + run.deadline[i] + " ms, " + (run.inTime[i] ? "in time" : "missed");
  }
  svg.addEventListener("pointerdown", (e) => {
    const [px] = pointer(e);
    if (e.button !== 0 || e.pointerType === "touch") return;
    drag = { from: Math.max(left, px), to: Math.max(left, px) };
    svg.setPointerCapture(e.pointerId);
  });
  svg.addEventListener("pointermove", (e) => {
    const [px, py] = pointer(e);
    if (drag) {
      drag.to = Math.min(Math.max(left, px), width - right);
      draw();
      return;
    }
    let best = null, least = 100; // ten units away at the most
    for (const d of drawn) {
      const far = (d.px - px) ** 2 + (d.py - py) ** 2;
      if (far < least) [best, least] = [d, far];
    }
    if (best) showTip(describe(best.i), e.clientX, e.clientY);
    else hideTip();
  });
  svg.addEventListener("pointerup", () => {
    const d = drag;
    drag = null;
    if (!d) return;
    if (Math.abs(d.to - d.from) > 6) look(time(Math.min(d.from, d.to)), time(Math.max(d.from, d.to)));
    else draw();
  });
  svg.addEventListener("pointercancel", () => { drag = null; draw(); });
  svg.addEventListener("pointerleave", hideTip);
  svg.addEventListener("wheel", (e) => {
    if (!e.ctrlKey) return;
    e.preventDefault();
    zoom(e.deltaY > 0 ? 1.25 : 0.8, time(pointer(e)[0]));
  }, { passive: false });
  where.addEventListener("keydown", (e) => {
    const move = moves[pressed[e.key]];
    if (!move || e.target !== where) return;
    e.preventDefault();
    move();
  });
  for (const button of all("[data-zoom]")) button.addEventListener("click", () => moves[button.dataset.zoom]());
  document.getElementById("run").addEventListener("change", (e) => choose(Number(e.target.value)));
  document.getElementById("priority").addEventListener("change", draw);
  where.replaceChildren(svg);
  choose(0);
}
