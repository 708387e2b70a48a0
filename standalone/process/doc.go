// SPDX-License-Identifier: Apache-2.0

// Package process runs child processes: each in a process group of its own, so that a
// Ctrl-C in the terminal reaches the parent alone and the parent ends them in order;
// each with its output in a file, line by line, with time and name.
//
// A Process is safe for concurrent use. Stop returns when the child, all it started
// and the goroutines that served it have ended. On Linux a child also ends when its
// parent dies without having stopped it.
package process
