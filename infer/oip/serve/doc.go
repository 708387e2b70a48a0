// SPDX-License-Identifier: Apache-2.0

// Package serve answers the Open Inference Protocol (KServe v2) over gRPC with the models of
// a repository, so that any client of KServe or Triton can use them: their tensors, without
// the pictures and labels that tasks have.
//
// Invariants:
//   - an inference waits, is bounded and is counted as the server's tasks are (Admit);
//   - names, types, shapes and sizes are checked before it waits, and an error says which is
//     wrong, what it is and what is allowed;
//   - a parameter that would change what a request means is refused, others are passed over;
//   - status codes are those of Triton: NOT_FOUND, UNAVAILABLE, INVALID_ARGUMENT.
//
// Service is safe for concurrent use and starts no goroutine.
package serve
