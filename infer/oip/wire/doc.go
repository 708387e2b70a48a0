// SPDX-License-Identifier: Apache-2.0

// Package wire is how tensors travel in the Open Inference Protocol: the data types, their
// bytes, and a gRPC codec that does not copy them. Both sides use it.
//
// Invariants:
//   - what a message may make of memory is bounded before it is decoded (Codec);
//   - values become float32 and back by rounding to the nearest; what a type cannot hold
//     becomes its nearest end, and not a number becomes 0 in whole numbers;
//   - the bytes of a message are those that protobuf makes, but for the order of fields.
//
// The protocol: https://github.com/kserve/open-inference-protocol.
//
// Functions keep no state and may be used concurrently; a Request and a Response belong to
// one call.
package wire
