# SPDX-License-Identifier: Apache-2.0
"""The networks of the shipped models. Each takes what the payload holds, float32, and
gives logits; Shipped adds what makes a raw input fit and an output a probability."""

import torch
from torch import nn


class Shipped(nn.Module):
    """A network as it is exported: probabilities, shape (N, classes), that add up to 1."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return torch.softmax(self.network(x), dim=1)


class Pooled(nn.Module):
    """Mean and maximum over all places: the one sees what is everywhere, the other what
    is somewhere, as a small defect or a single impact is."""

    def forward(self, x):
        x = x.flatten(2)
        return torch.cat([x.mean(dim=2), x.max(dim=2).values], dim=1)


def block(conv, batch_norm, wide, deep, kernel, stride, groups=1):
    return nn.Sequential(
        conv(wide, deep, kernel, stride, kernel // 2, groups=groups, bias=False),
        batch_norm(deep),
        nn.ReLU(),
    )


def block1(wide, deep, kernel, stride):
    return block(nn.Conv1d, nn.BatchNorm1d, wide, deep, kernel, stride)


def block2(wide, deep, kernel, stride):
    return block(nn.Conv2d, nn.BatchNorm2d, wide, deep, kernel, stride)


def head(deep, classes, dropout):
    return nn.Sequential(Pooled(), nn.Dropout(dropout), nn.Linear(2 * deep, classes))


def vibration_small(classes):
    """1-D CNN over (N, 3, 1024) in g; about 600 parameters."""
    return nn.Sequential(
        nn.BatchNorm1d(3, affine=False),  # to the scale of the training data
        block1(3, 4, 11, 4),
        block1(4, 6, 7, 4),
        block1(6, 6, 5, 2),
        head(6, classes, 0),
    )


def vibration_large(classes):
    """1-D CNN over (N, 3, 1024) in g; about 100 000 parameters."""
    return nn.Sequential(
        nn.BatchNorm1d(3, affine=False),
        block1(3, 32, 31, 2),
        block1(32, 48, 15, 4),
        block1(48, 64, 9, 2),
        block1(64, 64, 7, 2),
        block1(64, 64, 5, 2),
        head(64, classes, 0.2),
    )


def surface_small(classes):
    """CNN over (N, 3, 60, 80), RGB from -1 to 1."""
    return nn.Sequential(
        block2(3, 12, 5, 2),
        block2(12, 24, 3, 2),
        block2(24, 32, 3, 1),
        block2(32, 32, 3, 2),
        head(32, classes, 0),
    )


def surface_large(classes):
    """CNN over (N, 3, 120, 160), RGB from -1 to 1."""
    return nn.Sequential(
        block2(3, 16, 5, 2),
        block2(16, 24, 3, 2),
        block2(24, 48, 3, 2),
        block2(48, 48, 3, 1),
        block2(48, 64, 3, 2),
        block2(64, 64, 3, 1),
        head(64, classes, 0.1),
    )
