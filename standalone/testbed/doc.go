// SPDX-License-Identifier: Apache-2.0

// Package testbed sets up the two ends of the live system over an emulated link, in one
// process: at one end the real server of package remote, at the other its client and the
// runner. What is checked over it is real but for the link, the models and the machine's
// share that the other end takes.
//
// All goroutines that a Testbed starts have ended when Close returns.
package testbed
