// SPDX-License-Identifier: Apache-2.0

// Package oip runs graphs on a model server that speaks the Open Inference Protocol (KServe
// v2) over gRPC, as Triton does on a Jetson or in a cloud. It is an infer.Backend, beside
// ONNX Runtime in the same repository: a model.yaml with backend: oip names its model there.
//
// Invariants:
//   - nothing waits for the server when a service starts: a server that is not there is an
//     error that another attempt may cure (infer.ErrBackend);
//   - what the server says of the model is compared with model.yaml, and with model.onnx
//     where there is one, before a task runs; an answer is compared with what it said;
//   - every call is bounded in time and every message in size;
//   - a server that goes away is noticed within two checks and told to the repository, which
//     loads the model anew when it is back.
//
// A Client and its graphs are safe for concurrent use. Each graph owns one goroutine, which
// looks after the model on the server and ends with Close.
//
// Protocol: https://github.com/kserve/open-inference-protocol; of Triton's extensions only
// the limit of a batch is asked for.
package oip
