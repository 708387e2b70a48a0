// SPDX-License-Identifier: Apache-2.0

// Package split cuts a network in two: a head that runs on the box and a tail that goes on
// elsewhere from the tensors between. It finds the cuts of a graph (Cuts), makes both parts
// (Plan.Split), measures what a cut sends and takes (Plan.Measure) and proves that the parts equal the
// whole (Plan.Verify). The way of splitting is that of Kang et al. 2017 (Neurosurgeon,
// https://doi.org/10.1145/3037697.3037698).
//
// Invariants:
//   - a part has only the weights that it needs, and none twice: the parts together have those of
//     the whole, but for weights that both read;
//   - what is measured is what runs at work: the parts' model.yaml are made first, and package
//     infer takes the task through them.
//
// A Plan is safe for concurrent use, though measuring two at once measures neither.
package split
