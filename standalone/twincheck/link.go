// SPDX-License-Identifier: Apache-2.0

package twincheck

import (
	"fmt"
	"time"

	"edgex-offload/standalone/emulator"
	"edgex-offload/standalone/emulator/tun"
	"edgex-offload/standalone/testbed"
)

// Level is at which a link is emulated.
type Level string

// The levels.
const (
	// OverIP needs the right to make network namespaces; see tun.Available.
	OverIP Level = "ip"
	// OverTCP runs anywhere, with the emulator's model in place of the kernel's TCP.
	OverTCP Level = "tcp"
)

// leadIn is how long a link stays as it is at first, until box and cloud are connected: two
// seconds, or fifteen round trips.
func leadIn(first emulator.Conditions) time.Duration {
	return max(2*time.Second, 15*first.RTT).Truncate(emulator.Slot)
}

// firstWorking is the first slot of a trace that lets something through both ways.
func firstWorking(trace emulator.Trace) emulator.Conditions {
	for _, c := range trace.Slots {
		if c.Loss < .5 && c.UpBps > 0 && c.DownBps > 0 {
			return c
		}
	}
	return emulator.Conditions{RTT: 50 * time.Millisecond, UpBps: 1e6, DownBps: 1e6}
}

// delayed plays a trace again and again after a while of the same conditions.
type delayed struct {
	first emulator.Conditions
	left  int // slots
	trace emulator.Source
}

// Next is for emulator.Source.
func (d *delayed) Next() emulator.Conditions {
	if d.left > 0 {
		d.left--
		return d.first
	}
	return d.trace.Next()
}

// openLink starts a link over which the trace begins after a lead-in.
func openLink(o *Options) (link testbed.Link, lead time.Duration, err error) {
	first := firstWorking(o.Trace)
	lead = leadIn(first)
	source := &delayed{first: first, left: int(lead / emulator.Slot), trace: o.Trace.Start()}
	switch o.Level {
	case OverTCP:
		return testbed.OverTCP(source, o.Seed), lead, nil
	case OverIP:
		network, err := tun.New(tun.Options{Source: source, Seed: o.Seed, CongestionControl: o.Congestion})
		if err != nil {
			return nil, 0, err
		}
		return testbed.OverIP(network), lead, nil
	}
	return nil, 0, fmt.Errorf("Level %q: allowed are %s, %s", o.Level, OverIP, OverTCP)
}
