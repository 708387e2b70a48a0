// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package testbed

// Hurry does nothing here.
func Hurry() bool { return false }
