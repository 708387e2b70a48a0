// SPDX-License-Identifier: Apache-2.0

// Package conveyor is a demonstration source: it draws pictures of machined metal
// flanges on a conveyor belt, good ones and ones with a surface defect, and says which
// is which. It stands in for a camera over a line where there is none, and it makes the
// data that the surface models of this repository are trained and measured on. Nothing
// in it is a recording; what a model learns here says nothing about parts of another line.
//
// Defects reach from plain to hardly visible at the picture's own resolution, and good
// parts carry tool marks, dust and films of oil that look like defects when the picture
// is shrunk. That is why a model that sees more pixels is right more often.
//
// Invariants:
//   - the pictures follow from seed, width and height alone (within one level of
//     brightness between processor architectures, which round differently);
//   - the ground truth is returned beside the picture, never inside it;
//   - the package imports the standard library alone.
//
// A Belt is not safe for concurrent use; one Belt belongs to one goroutine.
package conveyor
