// SPDX-License-Identifier: Apache-2.0

// Package fit searches the engine's parameters for given links and an objective, and tells
// what they are worth on links that the search has not seen.
//
// The traces are split into folds. For each fold the search sees the others alone, and what
// it found is played on the traces left out, with workloads that it has not seen either, beside
// the settings that it began with. What is found on all traces is worth about what the folds
// found on those left out, and not what it reached on the traces it was made for.
//
// All follows from the Plan and its seed, on any machine and however many cells are played
// at once.
package fit
