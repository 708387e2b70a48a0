#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the shipped models on what makedata wrote and exports them.

Runs with Debian's python3-torch (1.13) and python3-onnx (1.12), on a CPU. The same data,
seed, library and number of threads give the same model.
"""

import argparse
import hashlib
import math
import os
import time

import numpy as np
import torch

import networks

SEED = 7
BATCH = 32
CONDITIONS = ["normal", "imbalance", "misalignment", "looseness", "bearing_outer", "bearing_inner"]
SURFACES = ["good", "scratch", "dent", "stain", "crack"]

# name: network, data, inputs' suffix, labels, epochs, highest learning rate
MODELS = {
    "vibration-small": (networks.vibration_small, "vibration", "", CONDITIONS, 12, 6e-3),
    "vibration-large": (networks.vibration_large, "vibration", "", CONDITIONS, 8, 2e-3),
    "surface-small": (networks.surface_small, "surface", "-80x60", SURFACES, 16, 4e-3),
    "surface-large": (networks.surface_large, "surface", "-160x120", SURFACES, 14, 3e-3),
}


def load(folder, data, part, suffix):
    inputs = np.load(f"{folder}/{data}-{part}{suffix}.npy", mmap_mode="r")
    return inputs, torch.from_numpy(np.load(f"{folder}/{data}-{part}-labels.npy").astype(np.int64))


def batch_of(inputs, rows):
    """Rows of the data as the network takes them: a picture's 0..255 becomes -1..1, as
    model.yaml's mean and std say; a signal stays as it is."""
    x = torch.from_numpy(np.array(inputs[rows]))
    return x if x.dtype == torch.float32 else x.float() / 127.5 - 1


def augmented(x):
    """Nature has no left and right: a mirrored part is a part. An accelerometer that is
    turned round measures the same with the other sign."""
    if x.dim() == 4:
        flip = torch.rand(len(x)) < 0.5
        x[flip] = x[flip].flip(3)
    else:
        x = x * (torch.randint(0, 2, (len(x), 3, 1)) * 2 - 1)
    return x


def evaluate(network, inputs, labels):
    """Share of right answers, and how often class i (row) was taken for j (column)."""
    network.eval()
    answers = []
    with torch.no_grad():
        for at in range(0, len(labels), 256):
            answers.append(network(batch_of(inputs, slice(at, at + 256))).argmax(1))
    answers = torch.cat(answers)
    classes = int(labels.max()) + 1
    confusion = torch.bincount(labels * classes + answers, minlength=classes * classes).view(classes, classes)
    return (answers == labels).float().mean().item(), confusion


def train(name, folder, share):
    build, data, suffix, names, epochs, rate = MODELS[name]
    torch.manual_seed(SEED)
    network = build(len(names))
    parameters = sum(p.numel() for p in network.parameters())
    inputs, labels = load(folder, data, "train", suffix)
    check = load(folder, data, "validation", suffix)
    print(f"{name}: {parameters} parameters, {len(labels)} samples, {epochs} epochs", flush=True)

    epochs = max(1, round(epochs * share))
    steps = math.ceil(len(labels) / BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, epochs * steps, pct_start=0.2)
    loss_of = torch.nn.CrossEntropyLoss()
    best, kept, began = 0.0, None, time.monotonic()
    for epoch in range(1, epochs + 1):
        network.train()
        order, total = torch.randperm(len(labels)), 0.0
        for at in range(0, len(labels), BATCH):
            rows = order[at : at + BATCH].sort().values
            loss = loss_of(network(augmented(batch_of(inputs, rows.numpy()))), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        accuracy, _ = evaluate(network, *check)
        if accuracy >= best:
            best, kept = accuracy, {k: v.clone() for k, v in network.state_dict().items()}
        print(
            f"  {name} epoch {epoch:2d}/{epochs}  loss {total / steps:.4f}  "
            f"validation {accuracy:.4f}  {time.monotonic() - began:.0f} s",
            flush=True,
        )
    network.load_state_dict(kept)
    return network.eval()


def export(network, name, folder, models):
    """Writes model.onnx and model.yaml; the accuracy is that on the held-out set."""
    _, data, suffix, names, _, _ = MODELS[name]
    inputs, labels = load(folder, data, "heldout", suffix)
    accuracy, confusion = evaluate(network, inputs, labels)
    print(f"  {name} held-out {accuracy:.4f} of {len(labels)}; rows are the truth, {', '.join(names)}:")
    print("    " + str(confusion.numpy()).replace("\n", "\n    "), flush=True)

    path = f"{models}/{name}/1"
    os.makedirs(path, exist_ok=True)
    torch.onnx.export(
        networks.Shipped(network),
        batch_of(inputs, slice(0, 1)),
        f"{path}/model.onnx",
        input_names=["input"],
        output_names=["probabilities"],
        dynamic_axes={"input": {0: "batch"}, "probabilities": {0: "batch"}},
        opset_version=13,
    )
    with open(f"{path}/model.onnx", "rb") as f:
        checksum = hashlib.sha256(f.read()).hexdigest()
    with open(f"{path}/model.yaml", "w", encoding="utf-8") as f:
        f.write(describe(name, names, accuracy, len(labels), checksum))


def describe(name, names, accuracy, samples, checksum):
    data, size = name.split("-")
    if data == "surface":
        width, height = (80, 60) if size == "small" else (160, 120)
        what = f"Surface defect of the demonstration conveyor's parts, {size}."
        kind = "IMAGE_CLASSIFICATION"
        # (v/127.5 - 1) written as (v*scale - mean) / std.
        feed = (
            f"  type: image\n  width: {width}\n  height: {height}\n  layout: NCHW\n  color: RGB\n"
            "  fit: stretch\n  scale: 0.00392156862745098 # 1/255\n  mean: [0.5]\n  std: [0.5]"
        )
        made = "parts drawn by synth/conveyor, 320x240, JPEG quality 85"
    else:
        what = f"Condition of the demonstration machine, {size}."
        kind = "SIGNAL_CLASSIFICATION"
        feed = "  type: signal\n  shape: [3, 1024] # axes, samples at 6400 Hz, in g"
        made = "windows computed by synth/machine"
    place = "box, cloud" if size == "small" else "cloud"
    return f"""# SPDX-License-Identifier: Apache-2.0
# Written by models/train/train.py; train again rather than edit.
description: {what}
serves: {data}
runs_on: [{place}]
kind: {kind}
input:
{feed}
decoder: classification
scores: probabilities
labels: [{", ".join(names)}]
accuracy: {accuracy:.4f}
measured:
  data: {made}, held-out seed 3
  samples: {samples}
  command: go test ./models -run TestAccuracy -v -args -seed 3 -samples {samples}
sha256: {checksum}
"""


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", default="build/train", help="what makedata wrote")
    options.add_argument("--models", default="models", help="where the models go")
    options.add_argument("--share", type=float, default=1, help="share of the epochs, to try things out")
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("names", nargs="*", default=list(MODELS), help="models to train; all by default")
    chosen = options.parse_args()
    torch.set_num_threads(chosen.threads)
    torch.use_deterministic_algorithms(True)
    for name in chosen.names:
        export(train(name, chosen.data, chosen.share), name, chosen.data, chosen.models)


if __name__ == "__main__":
    main()
