// SPDX-License-Identifier: Apache-2.0

// Package onnx reads, checks, edits and writes ONNX files.
//
// Parse takes bytes from anywhere: what it returns has one graph without cycles in which each
// tensor has one origin, and each weight as much data as its shape says. A Model answers who
// makes and who reads a tensor; Extract takes out the part between tensors. To edit, change
// Model.Proto and check the outcome with New.
//
// Invariants:
//   - no input makes it panic, or take memory that is out of proportion to its size;
//   - what it does not know (newer fields, operators of other domains) survives unchanged;
//   - what a node's subgraphs (If, Loop, Scan) read from outside counts as read by the node.
//
// Weights in files beside the graph are not read: a Model keeps the references to them, and what
// needs the numbers says so.
//
// A Model is safe for concurrent reading; whoever changes it has it alone.
package onnx

//go:generate protoc --go_out=. --go_opt=module=edgex-offload/infer/onnx onnx.proto
