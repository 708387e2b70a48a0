// SPDX-License-Identifier: Apache-2.0

// Package compare plays policies, and the references that they are measured against, over every
// class, trace and seed of a scenario, and sums up: means in which each cell counts alike,
// regrets, paired differences with their standard error, and what a setting does.
//
// The figures follow from the grid alone: the same one gives the same bytes on any machine,
// however many cells are played at once.
package compare
