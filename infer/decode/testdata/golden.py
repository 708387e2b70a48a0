#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the golden cases of this folder: outputs of a graph, made up with a few objects in
noise, and what they mean, computed the plain way that the models' authors publish. It
shares no code with package decode. Run it here: python3 golden.py
"""
import json
import math
import os
import random
import struct

WIDTH, HEIGHT, STRIDES = 96, 64, [8, 16, 32]
LABELS = ["cat", "dog", "bird"]
# Objects: class, score, left, top, right, bottom. The second overlaps the first by more
# than IoU in the same class, the third in another class, the last is too weak.
OBJECTS = [
    (0, 0.92, 10, 8, 42, 40),
    (0, 0.71, 13, 9, 45, 41),
    (2, 0.64, 11, 10, 43, 40),
    (1, 0.83, 60, 20, 90, 60),
    (1, 0.20, 50, 0, 60, 10),
]


def f32(v):
    """v as a float32 that a few digits can write."""
    return struct.unpack("f", struct.pack("f", round(v, 5)))[0]



def grid():
    return [(s, x, y) for s in STRIDES for y in range(HEIGHT // s) for x in range(WIDTH // s)]


def cell_of(box, cells, taken):
    """The free cell, of the middle stride first, that is nearest to a box's centre."""
    cx, cy = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    order = sorted(range(len(cells)), key=lambda i: (cells[i][0] != 16, math.hypot((cells[i][1] + .5) * cells[i][0] - cx, (cells[i][2] + .5) * cells[i][0] - cy)))
    return next(i for i in order if i not in taken)


def iou(a, b):
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    both = max(w, 0) * max(h, 0)
    area = lambda r: (r[2] - r[0]) * (r[3] - r[1])
    return both / (area(a) + area(b) - both)


def suppress(found, limit, agnostic):
    """found: (class, score, box). Greedy, best first."""
    kept = []
    for f in sorted(found, key=lambda f: -f[1]):
        if all(not (agnostic or k[0] == f[0]) or iou(k[2], f[2]) <= limit for k in kept):
            kept.append(f)
    return kept


def noise(rng, n, most=0.08):
    return [f32(rng.random() * most) for _ in range(n)]


def rows_to(columns):
    return [v for row in columns for v in row]


def write(name, about, outputs, expected):
    os.makedirs(name, exist_ok=True)
    with open(os.path.join(name, "outputs.json"), "w") as f:
        json.dump([{"name": n, "shape": s, "data": [round(v, 5) for v in d]} for n, s, d in outputs], f, separators=(",", ":"))
        f.write("\n")
    with open(os.path.join(name, "case.json"), "w") as f:
        json.dump(about, f, indent=2, sort_keys=True)
        f.write("\n")
    with open(os.path.join(name, "expected.json"), "w") as f:
        json.dump(expected, f, indent=2)
        f.write("\n")


def detector(name, head, outputs, found, labels=LABELS, suppressed=True, agnostic=False):
    threshold, limit = 0.3, 0.5
    found = [f for f in found if f[1] >= threshold]
    found = suppress(found, limit, agnostic) if suppressed else sorted(found, key=lambda f: -f[1])
    clip = lambda v, most: min(max(v, 0), most)
    objects = []
    for c, score, b in found:
        x0, y0, x1, y1 = clip(b[0], WIDTH), clip(b[1], HEIGHT), clip(b[2], WIDTH), clip(b[3], HEIGHT)
        objects.append({"label": labels[c], "confidence": score, "x": x0, "y": y0, "w": x1 - x0, "h": y1 - y0})
    about = {"head": head, "width": WIDTH, "height": HEIGHT, "labels": labels, "strides": STRIDES,
             "threshold": threshold, "iou": limit, "agnostic": agnostic, "maxObjects": 50}
    write(name, about, outputs, {"objects": objects})


def yolov5(rng):
    rows = [[f32(rng.random() * WIDTH), f32(rng.random() * HEIGHT), 9.0, 9.0] + noise(rng, 1 + len(LABELS)) for _ in range(60)]
    for i, (c, score, x0, y0, x1, y1) in enumerate(OBJECTS):
        objectness = 0.95
        rows[7 + 11 * i] = [(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0, f32(objectness)] + [f32(score / objectness) if k == c else f32(0.01) for k in range(len(LABELS))]
    found = []
    for cx, cy, w, h, objectness, *scores in rows:
        best = max(range(len(scores)), key=lambda k: scores[k])
        found.append((best, objectness * scores[best], (cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2)))
    detector("yolov5", "yolov5", [("output0", [1, len(rows), 5 + len(LABELS)], rows_to(rows))], found)


def yolov8(rng, name="yolov8", agnostic=False):
    rows = [[f32(rng.random() * WIDTH), f32(rng.random() * HEIGHT), 9.0, 9.0] + noise(rng, len(LABELS)) for _ in range(60)]
    for i, (c, score, x0, y0, x1, y1) in enumerate(OBJECTS):
        rows[3 + 9 * i] = [(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0] + [f32(score) if k == c else f32(0.01) for k in range(len(LABELS))]
    found = []
    for cx, cy, w, h, *scores in rows:
        best = max(range(len(scores)), key=lambda k: scores[k])
        found.append((best, scores[best], (cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2)))
    columns = [list(c) for c in zip(*rows)]
    detector(name, "yolov8", [("output0", [1, 4 + len(LABELS), len(rows)], rows_to(columns))], found, agnostic=agnostic)


def yolox(rng):
    cells = grid()
    rows = [[f32(rng.random()), f32(rng.random()), f32(rng.random()), f32(rng.random())] + noise(rng, 1 + len(LABELS)) for _ in cells]
    taken = set()
    for c, score, *b in OBJECTS:
        i = cell_of(b, cells, taken)
        taken.add(i)
        s, x, y = cells[i]
        objectness = 0.97
        rows[i] = [f32((b[0] + b[2]) / 2 / s - x), f32((b[1] + b[3]) / 2 / s - y), f32(math.log((b[2] - b[0]) / s)), f32(math.log((b[3] - b[1]) / s)), f32(objectness)]
        rows[i] += [f32(score / objectness) if k == c else f32(0.01) for k in range(len(LABELS))]
    found = []
    for (s, x, y), (dx, dy, lw, lh, objectness, *scores) in zip(cells, rows):
        best = max(range(len(scores)), key=lambda k: scores[k])
        cx, cy, w, h = (dx + x) * s, (dy + y) * s, math.exp(lw) * s, math.exp(lh) * s
        found.append((best, objectness * scores[best], (cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2)))
    detector("yolox", "yolox", [("output", [1, len(rows), 5 + len(LABELS)], rows_to(rows))], found)


def ssd(rng):
    boxes = [[f32(rng.random() * .4), f32(rng.random() * .4), f32(.5 + rng.random() * .5), f32(.5 + rng.random() * .5)] for _ in range(50)]
    scores = [[f32(0.9)] + noise(rng, len(LABELS)) for _ in boxes]
    for i, (c, score, x0, y0, x1, y1) in enumerate(OBJECTS):
        boxes[4 + 8 * i] = [f32(x0 / WIDTH), f32(y0 / HEIGHT), f32(x1 / WIDTH), f32(y1 / HEIGHT)]
        scores[4 + 8 * i] = [f32(1 - score)] + [f32(score) if k == c else 0.0 for k in range(len(LABELS))]
    found = []
    for b, s in zip(boxes, scores):
        best = max(range(1, len(s)), key=lambda k: s[k])
        found.append((best - 1, s[best], (b[0] * WIDTH, b[1] * HEIGHT, b[2] * WIDTH, b[3] * HEIGHT)))
    detector("ssd", "ssd", [("scores", [1, len(boxes), 1 + len(LABELS)], rows_to(scores)), ("boxes", [1, len(boxes), 4], rows_to(boxes))], found)


def yunet(rng):
    cells, taken = grid(), set()
    cls = noise(rng, len(cells), 0.2)
    obj = noise(rng, len(cells), 0.2)
    box = [[f32(rng.random()), f32(rng.random()), f32(rng.random()), f32(rng.random())] for _ in cells]
    for _, score, *b in OBJECTS:
        i = cell_of(b, cells, taken)
        taken.add(i)
        s, x, y = cells[i]
        cls[i], obj[i] = f32(min(score * 1.2, 1.02)), f32(score ** 2 / min(score * 1.2, 1.0))  # one of them is above 1
        box[i] = [f32((b[0] + b[2]) / 2 / s - x), f32((b[1] + b[3]) / 2 / s - y), f32(math.log((b[2] - b[0]) / s)), f32(math.log((b[3] - b[1]) / s))]
    clamp = lambda v: min(max(v, 0.0), 1.0)
    found = []
    for (s, x, y), c, o, (dx, dy, lw, lh) in zip(cells, cls, obj, box):
        cx, cy, w, h = (x + dx) * s, (y + dy) * s, math.exp(lw) * s, math.exp(lh) * s
        found.append((0, math.sqrt(clamp(c) * clamp(o)), (cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2)))
    outputs = []
    for part, values, width in (("cls", [[v] for v in cls], 1), ("obj", [[v] for v in obj], 1), ("bbox", box, 4)):
        for s in STRIDES:
            level = [v for v, cell in zip(values, cells) if cell[0] == s]
            outputs.append((f"{part}_{s}", [1, len(level), width], rows_to(level)))
    detector("yunet", "yunet", outputs, found, labels=["face"])


def end2end(rng):
    rows = [[float(x0), float(y0), float(x1), float(y1), f32(score), float(c)] for c, score, x0, y0, x1, y1 in OBJECTS]
    rows += [[0.0] * 6 for _ in range(20)]
    found = [(int(c), score, (x0, y0, x1, y1)) for x0, y0, x1, y1, score, c in rows]
    detector("end2end", "end2end", [("output0", [1, len(rows), 6], rows_to(rows))], found, suppressed=False)


def classification(rng):
    logits = [f32(rng.gauss(0, 2)) for _ in range(10)]
    labels = [f"class{i}" for i in range(10)]
    e = [math.exp(v) for v in logits]
    best = max(range(10), key=lambda k: logits[k])
    write("classification", {"labels": labels}, [("logits", [1, 10], logits)], {"label": labels[best], "confidence": e[best] / sum(e)})


def regression(rng):
    values = [f32(rng.gauss(0, 1)) for _ in range(3)]
    scale, offset, units = [2.5, 1.0, -0.5], [10.0, 0.0, 3.0], ["mm", "", "°C"]
    expected = [{"label": l, "value": v * s + o, "unit": u} for l, v, s, o, u in zip(LABELS, values, scale, offset, units)]
    write("regression", {"labels": LABELS, "scale": scale, "offset": offset, "units": units}, [("y", [1, 3], values)], {"values": expected})


def anomaly(rng, name, power):
    fed = [f32(rng.gauss(0, 1)) for _ in range(24)]
    back = [f32(v + rng.gauss(0, 0.3)) for v in fed]
    score = sum(abs(a - b) ** power for a, b in zip(fed, back)) / len(fed)
    threshold = round(score / 2, 4)
    about = {"labels": ["normal", "anomaly"], "reconstruction": {1: "absolute", 2: "squared"}[power], "threshold": threshold, "input": fed}
    write(name, about, [("y", [1, 3, 8], back)], {"label": "anomaly", "confidence": score / (score + threshold), "values": [{"label": "score", "value": score, "unit": ""}]})


def main():
    rng = random.Random(7)
    yolov5(rng)
    yolov8(rng)
    yolov8(rng, "yolov8-agnostic", agnostic=True)
    yolox(rng)
    ssd(rng)
    yunet(rng)
    end2end(rng)
    classification(rng)
    regression(rng)
    anomaly(rng, "anomaly-squared", 2)
    anomaly(rng, "anomaly-absolute", 1)


main()
