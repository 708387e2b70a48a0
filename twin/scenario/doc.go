// SPDX-License-Identifier: Apache-2.0

// Package scenario reads the scenarios of package twin from YAML, ships the benchmark as one
// to start from, and makes one from the decision records of a system that runs.
//
// A file is strict: an unknown key is an error that names its line, a value out of range one
// that names the key, the value and what is allowed. What a file leaves out is as in the
// benchmark.
package scenario
