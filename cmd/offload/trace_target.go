// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"

	"edgex-offload/remote"
)

// remoteTarget is a target over the wire.
type remoteTarget struct{ *remote.Client }

// Rates takes the time that bytes need beyond a round trip without them.
func (t remoteTarget) Rates(ctx context.Context, up, down int) (upKbps, downKbps float64, err error) {
	bare, err := t.timed(ctx, 0, 0)
	if err != nil {
		return 0, 0, err
	}
	loaded, err := t.timed(ctx, up, 0)
	if err != nil {
		return 0, 0, err
	}
	upKbps = kbpsOf(up, loaded-bare)
	if loaded, err = t.timed(ctx, 0, down); err != nil {
		return upKbps, 0, err
	}
	return upKbps, kbpsOf(down, loaded-bare), nil
}

func (t remoteTarget) timed(ctx context.Context, up, down int) (time.Duration, error) {
	began := time.Now()
	_, err := t.ProbeRate(ctx, up, down)
	return time.Since(began), err
}

// kbpsOf is 0 for a time that is too short to tell.
func kbpsOf(bytes int, took time.Duration) float64 {
	if took < 100*time.Microsecond {
		return 0
	}
	return float64(bytes) * 8 / 1000 / took.Seconds()
}
