// SPDX-License-Identifier: Apache-2.0

package ort

import (
	"errors"
	"fmt"
	"sync"

	onnx "github.com/yalue/onnxruntime_go"
)

// environment is the process's one ONNX Runtime. The binding keeps the library, its
// path and its environment in globals, so that a guard of them has to be one as well.
type environment struct {
	mu      sync.Mutex
	users   int
	library string
}

// process is that guard; it is the only state of this package.
var process environment

// enter loads the library, or joins those who use it. Each enter without an error is
// followed by one leave.
func (e *environment) enter(library string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.users > 0 && e.library != library {
		return fmt.Errorf("ONNX Runtime is loaded from %s: a process holds one, so %s cannot be loaded as well", e.library, library)
	}
	if e.users == 0 {
		onnx.SetSharedLibraryPath(library)
		if err := onnx.InitializeEnvironment(onnx.WithLogLevelError()); err != nil {
			return fmt.Errorf("ONNX Runtime: %s: %w: it has to be version 1.23 or later, for this processor and C library", library, err)
		}
		e.library = library
	}
	e.users++
	return nil
}

func (e *environment) leave() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.users == 0 {
		return errors.New("ort: left more often than entered")
	}
	e.users--
	if e.users > 0 {
		return nil
	}
	return onnx.DestroyEnvironment()
}
