// SPDX-License-Identifier: Apache-2.0

package infer

import "errors"

// What a caller may want to tell apart. Every error of Infer and InferModel that is not
// one of these (errors.Is) or the context's own is a model that ran and failed.
var (
	// ErrInput: the task's payload, content type or shape is not what the model takes.
	// Another attempt with the same task fails too.
	ErrInput = errors.New("bad input")
	// ErrNoModel: no such model, or none for this kind of task, in this repository.
	ErrNoModel = errors.New("no such model")
	// ErrNotReady: the model is known, but still loading or broken.
	ErrNotReady = errors.New("model not ready")
	// ErrBackend: what runs graphs is not there (yet); loading is tried again.
	ErrBackend = errors.New("backend unavailable")
	// ErrClosed: the repository was closed.
	ErrClosed = errors.New("model repository closed")
)
