// SPDX-License-Identifier: Apache-2.0

// Package suggest writes a first model.yaml for a graph that has none, from the names,
// types and shapes of its inputs and outputs and from what its exporter noted in it. It is
// pure, and a guess: what a graph does not say, as its colours, is what the exporter that
// it looks like does by default.
//
// Invariant: the text can be parsed as a model.yaml, however strange the graph.
package suggest
