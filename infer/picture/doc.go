// SPDX-License-Identifier: Apache-2.0

// Package picture turns a JPEG or PNG into a model's input tensor. A camera's JPEG is
// decoded with no more samples than the tensor needs (package jpegscale); then, in one
// pass, each row is resampled, turned to the wanted colours, normalised and written once,
// with no full-size picture in between.
//
// Invariants:
//   - a picture's size, and the memory that it takes, are known and bounded before its
//     pixels are decoded;
//   - a scaled decode changes neither the picture's size nor where it lies in the tensor,
//     and leaves at least one sample for each value of the tensor, if the picture has it;
//   - Plan.Fill writes every value of the tensor, and only finite ones.
//
// A Plan is safe for concurrent use.
package picture
