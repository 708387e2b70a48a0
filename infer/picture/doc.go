// SPDX-License-Identifier: Apache-2.0

// Package picture turns a JPEG or PNG into a model's input tensor in one pass: each
// source row is resampled, turned to the wanted colours, normalised and written once,
// with no full-size picture in between.
//
// Invariants:
//   - a picture's size is known and bounded before its pixels are decoded;
//   - Plan.Fill writes every value of the tensor, and only finite ones.
//
// A Plan is safe for concurrent use.
package picture
