// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"edgex-offload/twin/compare"
)

// progress shows how far a number of cells are, by how much there is to do in each.
type progress struct {
	out       io.Writer
	started   time.Time
	cells, of int
	// size of all has been done; they are in no unit.
	size, all float64
	shown     time.Time
}

func newProgress(out io.Writer, cells int, all float64) *progress {
	return &progress{out: out, started: time.Now(), of: cells, all: all}
}

// progressOf is that of the runs of a comparison.
func progressOf(out io.Writer, runs []compare.Run) *progress {
	all := 0.
	for i := range runs {
		all += runs[i].Size()
	}
	return newProgress(out, len(runs), all)
}

// done takes a cell that has ended. It shows no more than an eye can follow.
func (p *progress) done(size float64) {
	p.cells++
	p.size += size
	if now := time.Now(); p.cells == p.of || now.Sub(p.shown) > 100*time.Millisecond {
		p.shown = now
		p.show(now.Sub(p.started))
	}
}

func (p *progress) show(passed time.Duration) {
	left := time.Duration(float64(passed) * max(0, p.all/p.size-1))
	_, _ = fmt.Fprintf(p.out, "\r%s %d of %d cells, %v, %v left   ", bar(p.size/p.all, 40),
		p.cells, p.of, passed.Round(time.Second), left.Round(time.Second))
}

// bar draws a share of a width.
func bar(share float64, width int) string {
	filled := max(0, min(width, int(share*float64(width))))
	return "[" + strings.Repeat("#", filled) + strings.Repeat(".", width-filled) + "]"
}

func (p *progress) end() {
	if p.cells > 0 {
		_, _ = fmt.Fprintln(p.out)
	}
}

// showProgress shows how many of all cells, each as large, are done.
func showProgress(ctx context.Context, w io.Writer, done <-chan struct{}, all int) error {
	p := newProgress(w, all, float64(all))
	defer p.end()
	for range all {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-done:
			p.done(1)
		}
	}
	return nil
}
