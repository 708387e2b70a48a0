// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"fmt"
	"runtime/debug"
)

// panicked is the error of a step that panicked. A model is a file from elsewhere: what nobody
// thought of in one ends its tasks, and not the service.
type panicked struct {
	cause any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("panicked: %v", p.cause) }

// contain, deferred, makes an error of a panic.
func contain(err *error) {
	if cause := recover(); cause != nil {
		*err = &panicked{cause, debug.Stack()}
	}
}

// tell logs where a model panicked.
func (p *panicked) tell(log Logger, variant string) {
	log.Warnf("model %s panicked, which is a bug: %v\n%s", variant, p.cause, p.stack)
}
