// SPDX-License-Identifier: Apache-2.0

package supply

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"edgex-offload/runner"
)

func TestWatchTellsChangesAlone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	state, reads, tick := State{Box: runner.Box{Battery: 1, Charging: true}}, 0, make(chan time.Time)
	var all []runner.Box
	w := &Watch{Of: Processor, Log: slog.New(slog.DiscardHandler), Tell: func(b runner.Box) { all = append(all, b) }, Read: func() State {
		switch reads++; reads {
		case 3:
			state.Box.Charging, state.Box.Battery = false, .9
		case 4:
			state.CPU = Clock{Name: "cpu", LimitMHz: 500, FullMHz: 1000}
		case 5:
			watts := 7.5
			state.Watts = &watts
		}
		return state
	}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.Run(ctx, tick)
	}()
	for range 5 {
		tick <- time.Time{}
	}
	cancel()
	<-done
	require.Equal(t, []runner.Box{{Battery: 1, Charging: true}, {Battery: .9}, {Battery: .9, Speed: .5}}, all)
	require.Equal(t, 7.5, *w.State().Watts, "what does not count for decisions is shown all the same")
}

func TestWhoseClockIsTheSpeed(t *testing.T) {
	s := State{CPU: Clock{LimitMHz: 1, FullMHz: 2}, GPU: Clock{LimitMHz: 1, FullMHz: 4}}
	for _, c := range []struct {
		of    Of
		onGPU bool
		want  float64
	}{
		{Models, false, .5}, {Models, true, .25}, {Graphics, false, .25}, {Processor, true, .5}, {None, true, 0},
	} {
		w := &Watch{Of: c.of, OnGPU: func() bool { return c.onGPU }}
		require.Equal(t, c.want, w.clock(s).Share(), c)
	}
	// A graphics card shows no clock here: the processor's says nothing of it.
	w := &Watch{Of: Models, OnGPU: func() bool { return true }}
	require.Zero(t, w.clock(State{CPU: s.CPU}).Share())
}

func TestChangesAreToldOnce(t *testing.T) {
	gpu := func(mhz float64) Clock { return Clock{Name: "17000000.gpu", LimitMHz: mhz, FullMHz: 1000} }
	near := func(c float64) *float64 { return &c }
	hot := []string{"gpu-throttle-alert"}
	var n notices
	for i, c := range []struct {
		state State
		times int
		want  string // of the first time; later ones are silent
	}{
		{State{Mode: "MAXN", GPU: gpu(1000)}, 3, "INFO the box's power mode is MAXN"},
		{State{Mode: "15W", GPU: gpu(600)}, 3, "INFO the box's power mode is 15W, it was MAXN | INFO the limit of the box's clock has changed: 17000000.gpu may run at 600 of 1000 MHz, 60% of its full speed"},
		{State{Mode: "15W", GPU: gpu(580)}, 3, ""},
		{State{Mode: "15W", GPU: gpu(400), Throttled: hot}, 3, "WARN the box is too warm and throttles (gpu-throttle-alert): 17000000.gpu may run at 400 of 1000 MHz, 40% of its full speed; see docs/jetson.md"},
		{State{Mode: "15W", GPU: gpu(300), Throttled: hot, CriticalInC: near(4.5)}, 3, "WARN the box is 4.5 degrees below the temperature at which it is turned off: look after its fan, its heat sink and what surrounds it"},
		{State{Mode: "15W", GPU: gpu(600), CriticalInC: near(7)}, calmLooks - 1, ""}, // it may come back
		{State{Mode: "15W", GPU: gpu(300), Throttled: hot, CriticalInC: near(4)}, 3, ""},
		{State{Mode: "15W", GPU: gpu(600), CriticalInC: near(11)}, calmLooks - 1, ""},
		{State{Mode: "15W", GPU: gpu(600), CriticalInC: near(11)}, 3, "INFO the box throttles no more: 17000000.gpu may run at 600 of 1000 MHz, 60% of its full speed"},
		{State{Mode: "15W", GPU: gpu(600), CriticalInC: near(5)}, 3, "WARN the box is 5.0 degrees below the temperature at which it is turned off: look after its fan, its heat sink and what surrounds it"},
		{State{GPU: gpu(600)}, 3, "INFO the box's power mode is unknown, it was 15W"},
		{State{}, 3, ""},
	} {
		for time := range c.times {
			var got []string
			for _, told := range n.of(c.state, c.state.GPU) {
				got = append(got, told.level.String()+" "+told.text)
			}
			want := c.want
			if time > 0 {
				want = ""
			}
			require.Equal(t, want, strings.Join(got, " | "), "state %d, time %d", i, time+1)
		}
	}
}

// Of a box that tells nothing there is nothing to say.
func TestASilentBox(t *testing.T) {
	var n notices
	require.Empty(t, n.of(State{}, Clock{}))
	require.Empty(t, n.of(State{CPU: Clock{Name: "cpu", LimitMHz: 4600, FullMHz: 4600}}, Clock{Name: "cpu", LimitMHz: 4600, FullMHz: 4600}))
}
