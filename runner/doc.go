// SPDX-License-Identifier: Apache-2.0

// Package runner drives the engine of package offload for real: wall clock, local
// workers, connections to the targets and their probes. It turns the engine's actions
// into work and what comes of the work into events.
//
// A Runner is safe for concurrent use. All goroutines it starts end before Run returns.
// A task's ground truth is taken off before the task reaches a model or a wire.
package runner
