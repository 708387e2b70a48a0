// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"fmt"
	"os"
	"path/filepath"

	"edgex-offload/standalone/emulator"
)

// Link says what the emulated link is like: a built-in profile, or a trace file.
type Link struct {
	Profile string
	// Trace is a file that replaces the profile; "" for none.
	Trace string
	Seed  int64
}

// Name is for people and reports.
func (l Link) Name() string {
	if l.Trace != "" {
		return filepath.Base(l.Trace)
	}
	return l.Profile
}

// Source reads the trace, or finds the profile.
func (l Link) Source() (emulator.Source, error) {
	if l.Trace == "" {
		profile, err := emulator.ProfileNamed(l.Profile)
		if err != nil {
			return nil, err
		}
		return profile.Start(l.Seed), nil
	}
	file, err := os.Open(l.Trace)
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	defer func() { _ = file.Close() }()
	trace, err := emulator.ReadTrace(file)
	if err != nil {
		return nil, fmt.Errorf("trace %s: %w", l.Trace, err)
	}
	return trace.Start(), nil
}
