// SPDX-License-Identifier: Apache-2.0

// Package features encodes the tensors between the two parts of a split network: what the head
// on the box sends to the tail elsewhere.
//
// Each tensor is quantised to 8 bits with a scale and an offset of its own, or kept as float32;
// zstd packs them all. The format is little endian:
//
//	4  "OFFT"
//	1  version, 1
//	8  the cut (Features.Cut)
//	24 placement of the picture: its width and height, then left, top, width and height of the
//	   rectangle that it takes in the network's input, uint32 each; zeros for no picture
//	1  number of tensors
//	then for each tensor: 1 length of the name, the name, 1 encoding (0 float32, 1 uint8), 1
//	   rank, 4 for each dimension, 4 scale, 4 offset (float32); value = offset + scale*stored
//	then one zstd frame with the data of all, one after the other, in C order.
//
// Invariants:
//   - what Decode takes in memory is bounded before it takes it;
//   - a tensor of whole numbers that lie within 255 of each other survives exactly, as the
//     output of a QuantizeLinear does;
//   - what Encode wrote, Decode reads to within half a step of each tensor.
//
// A Codec is safe for concurrent use.
package features
