// SPDX-License-Identifier: Apache-2.0

// Package decode reads what a graph's output means: the classes of a classifier, the
// objects of the common detector heads. It is pure: numbers in, answers out.
//
// Invariants:
//   - a shape that does not fit is an error that says which key of model.yaml or which
//     property of the graph is at odds with it;
//   - confidences are within 0 and 1, coordinates are finite, objects are best first.
//
// Everything here is safe for concurrent use.
package decode
