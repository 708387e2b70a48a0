// SPDX-License-Identifier: Apache-2.0

// Command cloud-service answers the tasks that edge boxes send, and clients of the Open
// Inference Protocol (KServe v2): gRPC with health and reflection, and beside it a small HTTP
// listener for Prometheus and for probes.
//
// It listens at once and loads its models in the background. Until one is ready, health
// says NOT_SERVING and tasks are refused with the reason. A missing ONNX Runtime, models
// folder or model is reported and looked at again, and never keeps it from starting.
package main
