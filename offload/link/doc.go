// SPDX-License-Identifier: Apache-2.0

// Package link estimates the path to one target and predicts when an attempt on it will
// be done.
package link
