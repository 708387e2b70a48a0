"use strict";
// The pictures are complete without this: it points out, chooses, sorts.
const all = (selector, within = document) => Array.from(within.querySelectorAll(selector));

const tip = document.getElementById("tip");
function showTip(text, x, y) {
  tip.textContent = text;
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  tip.style.left = Math.max(4, Math.min(x + 14, innerWidth - width - 8)) + "px";
  tip.style.top = (y + height + 26 > innerHeight ? y - height - 12 : y + 16) + "px";
}
function hideTip() { tip.hidden = true; }
document.addEventListener("pointermove", (e) => {
  const of = e.target.closest ? e.target.closest("[data-tip]") : null;
  if (of) showTip(of.getAttribute("data-tip"), e.clientX, e.clientY);
  else if (!(e.target.closest && e.target.closest("#timeline"))) hideTip();
});

// A class of box: each picture has its variants, the one that is chosen is shown.
for (const input of all("input[name=class]")) {
  input.addEventListener("change", () => {
    for (const section of all("section")) {
      const variants = all(":scope > [data-choice]", section);
      const known = variants.some((v) => v.dataset.choice === input.value);
      if (known) for (const v of variants) v.hidden = v.dataset.choice !== input.value;
    }
  });
}

// A policy of the legend: pressed, it stands out and the others fade.
const keys = all("button[data-policy]");
for (const key of keys) {
  key.addEventListener("click", () => {
    key.setAttribute("aria-pressed", String(key.getAttribute("aria-pressed") !== "true"));
    const pressed = keys.filter((k) => k.getAttribute("aria-pressed") === "true").map((k) => k.dataset.policy);
    for (const k of keys) {
      const fades = pressed.length > 0 && !pressed.includes(k.dataset.policy);
      for (const mark of all("main svg .q" + k.dataset.policy)) mark.classList.toggle("dim", fades);
    }
  });
}

// Numbers sort as numbers; what is unknown comes last, a latency without a result before it.
function sortKey(text) {
  const number = parseFloat(text.replace("−", "-"));
  if (!Number.isNaN(number)) return number;
  if (text === "none") return Number.MAX_VALUE;
  return text === "–" ? Infinity : text;
}
function compare(a, b) {
  const textual = typeof a === "string" || typeof b === "string";
  return textual ? String(a).localeCompare(String(b)) : a < b ? -1 : a > b ? 1 : 0;
}
const cells = document.getElementById("cell-table");
if (cells) {
  const body = cells.tBodies[0], rows = Array.from(body.rows);
  all("thead th", cells).forEach((head, column) => {
    const named = column === 0 || column === 1 || column === 2;
    head.querySelector("button").addEventListener("click", () => {
      const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      for (const other of all("thead th", cells)) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
      const key = new Map(rows.map((r) => {
        const text = r.cells[column].textContent;
        return [r, named ? text : sortKey(text)];
      }));
      rows.sort((a, b) => sign * compare(key.get(a), key.get(b)));
      body.append(...rows);
    });
  });
  const filter = document.getElementById("filter"), count = document.getElementById("rows");
  filter.addEventListener("input", () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((w) => text.includes(w));
      if (!row.hidden) shown++;
    }
    count.textContent = words.length ? shown + " of " + rows.length + " rows" : "";
  });
}
