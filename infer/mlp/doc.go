// SPDX-License-Identifier: Apache-2.0

// Package mlp is a small multilayer perceptron (fully connected layers with ReLU between
// them) that is read from ONNX, written as ONNX, and run in Go: for networks of some
// thousand weights, which are done before a call of a runtime has begun.
//
// Invariants:
//   - what was read or written gives the same values here and in ONNX Runtime, but for
//     rounding;
//   - a file is hostile until it was checked: sizes are bounded, and an error says what is
//     wrong;
//   - Values does not allocate. A Network that nobody changes is safe for concurrent use.
package mlp
