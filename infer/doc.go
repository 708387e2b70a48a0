// SPDX-License-Identifier: Apache-2.0

// Package infer answers tasks with models: a Repository opens a folder of models,
// loads those meant for this place in the background, turns a payload (JPEG, PNG,
// float32 samples, text) into a tensor, runs it and decodes the result.
//
// A model is a folder <name>/<version>/ with model.onnx and model.yaml (type Spec).
// What runs the graph is a Backend; package infer/ort is ONNX Runtime.
//
// Versions of a model stand side by side: a new one is loaded and warmed up beside the one
// that answers, takes a share of the tasks on trial where that is configured (Canary), and
// takes over at once. The old one is freed when the last task on it has ended.
//
// Invariants:
//   - a version that is broken, changed or unsigned never takes the place of one that works;
//   - no task waits for a version to be loaded or to drain, and none is lost to a swap or a
//     trial: what fails for the new version's sake is answered by the old one;
//   - a model that is broken or whose backend is missing is reported in Models and
//     stops no other model and no service;
//   - a payload is bounded before it is decoded, and a wrong one is refused with an
//     error that says what it is and what is allowed;
//   - the ground truth of a task is never read.
//
// A Repository is safe for concurrent use. Its goroutines end before Close returns.
package infer
