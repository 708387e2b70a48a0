// SPDX-License-Identifier: Apache-2.0

// Package orttest gives tests ONNX Runtime, or skips them visibly where it is missing.
package orttest

import (
	"testing"

	"edgex-offload/infer/ort"
)

// Library returns the path of the library, or skips the test.
func Library(t testing.TB) string {
	t.Helper()
	path, err := ort.Find("")
	if err != nil {
		t.Skip(err)
	}
	return path
}

// Runtime returns a backend of one CPU thread that is closed at the test's end, or skips
// the test.
func Runtime(t testing.TB) *ort.Runtime {
	t.Helper()
	r, err := ort.New(ort.Options{Library: Library(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}
