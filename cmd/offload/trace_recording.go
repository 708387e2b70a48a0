// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"edgex-offload/runner"
	"edgex-offload/standalone/emulator"
)

// sampler measures, or knows who does.
type sampler interface {
	// sample sends measurements as they come until ctx ends, which is no error.
	sample(ctx context.Context, out chan<- []runner.LinkSample) error
	// account says what it took, or what was wrong.
	account() string
}

// recording gathers measurements into a trace that is written as it grows.
type recording struct {
	grid   grid
	rows   *emulator.TraceWriter
	most   int // rows
	length time.Duration
	shown  io.Writer
	live   bool // on a terminal: a line that is written over
	began  time.Time
	last   emulator.Conditions
	said   time.Time
}

// quietPace is how often the state is told where there is no terminal.
const quietPace = time.Minute

func newRecording(file, shown io.Writer, o recordOptions) *recording {
	r := &recording{rows: emulator.NewTraceWriter(file), most: int(emulator.MaxTrace / emulator.Slot), length: o.length, shown: shown, live: isTerminal(shown)}
	r.grid = grid{upKbps: o.upKbps, downKbps: o.downKbps, add: r.add}
	return r
}

func (r *recording) add(c emulator.Conditions) {
	if r.rows.Rows() < r.most {
		r.rows.Add(c)
		r.last = c
	}
}

// run records until ctx ends, the time is over, the trace is as long as one can be, or
// nothing can be measured or written any more.
func (r *recording) run(ctx context.Context, from sampler) error {
	r.began, r.said = time.Now(), time.Now()
	ctx, cancel := bounded(ctx, r.length)
	defer cancel()
	batches := make(chan []runner.LinkSample, 64)
	ended := make(chan error, 1)
	go func() {
		defer close(batches)
		ended <- from.sample(ctx, batches)
	}()
	written := r.gather(ctx, cancel, batches, from)
	if err := <-ended; err != nil {
		return err
	}
	return written
}

// gather takes all batches until their sender has ended; cancel makes it end.
func (r *recording) gather(ctx context.Context, cancel context.CancelFunc, batches <-chan []runner.LinkSample, from sampler) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case batch, more := <-batches:
			if !more {
				r.grid.finish()
				r.progress(from, true)
				return r.rows.Flush()
			}
			r.grid.take(batch)
		case <-tick.C:
			if r.rows.Flush() != nil || r.rows.Rows() >= r.most {
				cancel() // the error is kept
			}
			if ctx.Err() == nil {
				r.progress(from, false)
			}
		}
	}
}

// progress shows how far it is.
func (r *recording) progress(from sampler, end bool) {
	switch now := time.Now(); {
	case r.live:
		line := []rune(r.state(from)) // one that wraps could not be written over
		_, _ = fmt.Fprintf(r.shown, "\r%s\x1b[K", string(line[:min(len(line), max(columnsOf(r.shown)-1, leastWidth))]))
		if end {
			_, _ = fmt.Fprintln(r.shown)
		}
	case end || now.Sub(r.said) >= quietPace:
		r.said = now
		_, _ = fmt.Fprintln(r.shown, r.state(from))
	}
}

// state is a line: time, round trip, rates, losses, and what it took.
func (r *recording) state(from sampler) string {
	const width = 16
	since := time.Since(r.began)
	done, of := "", ""
	if r.length > 0 {
		done = bar(since.Seconds()/r.length.Seconds(), width) + " "
		of = " of " + clock(r.length)
	}
	link := "nothing measured yet"
	if g := &r.grid; g.answered+g.lost > 0 {
		link = fmt.Sprintf("%.0f ms · up %s · down %s · lost %s", milliseconds(g.latest), rate(g.upKbps), rate(g.downKbps), percent(float64(g.lost)/float64(g.answered+g.lost)))
	}
	return done + clock(since) + of + " · " + link + " · " + from.account()
}

// sum tells what was recorded, and what is wrong with it.
func (r *recording) sum(out io.Writer, file string, from sampler) error {
	g := &r.grid
	var text strings.Builder
	fmt.Fprintf(&text, "%s: %s, %d round trips, %d lost; %s\n", file, lasting(r.rows.Rows()), g.answered, g.lost, from.account())
	for i, direction := range []string{"up", "down"} {
		if !g.rateKnown[i] {
			fmt.Fprintf(&text, "no rate was measured %s: the trace has the %s of --%s-kbps\n", direction, rate([]float64{g.upKbps, g.downKbps}[i]), direction)
		}
	}
	if g.gaps > 0 {
		fmt.Fprintf(&text, "left out: %d gaps of more than %s without a measurement, or steps of the clock\n", g.gaps, longestHeld)
	}
	for _, why := range slices.Sorted(maps.Keys(g.refused)) {
		fmt.Fprintf(&text, "not used: %d measurements, %s\n", g.refused[why], why)
	}
	fmt.Fprintf(&text, "look at it:  offload trace show %s\nreplay it:   offload up --trace %s\n", file, file)
	_, err := io.WriteString(out, text.String())
	return err
}
