// SPDX-License-Identifier: Apache-2.0

// Package orttest gives tests ONNX Runtime, or skips them visibly where it is missing.
package orttest

import (
	"testing"

	"edgex-offload/infer/ort"
)

// Library returns the path of the library, or skips the test.
func Library(tb testing.TB) string {
	tb.Helper()
	path, err := ort.Find("")
	if err != nil {
		tb.Skip(err)
	}
	return path
}

// Runtime returns a backend of one CPU thread that is closed at the test's end, or skips
// the test.
func Runtime(tb testing.TB) *ort.Runtime {
	tb.Helper()
	r, err := ort.New(ort.Options{Library: Library(tb)})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := r.Close(); err != nil {
			tb.Error(err)
		}
	})
	return r
}
