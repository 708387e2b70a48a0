// SPDX-License-Identifier: Apache-2.0

// Package ort runs graphs with ONNX Runtime, whose library is found and loaded when the
// first graph is (see Find).
//
// Invariants:
//   - a library, provider or graph that does not work is an error, never a crash, and
//     says what to do;
//   - one thread per inference and no spinning: concurrency is the caller's to bound,
//     and idle cores are left to others;
//   - on a CPU a graph is loaded behind the runs of those that are there, at a lower priority;
//   - a run whose context ends is terminated, and its memory is used again only after
//     the runtime let go of it.
//
// ONNX Runtime is one per process. Each Runtime that loaded a graph holds it, the last
// one to be closed frees it. A Runtime and its graphs are safe for concurrent use.
package ort
