// SPDX-License-Identifier: Apache-2.0

package twincheck

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"time"

	"edgex-offload/offload"
	"edgex-offload/remote"
	"edgex-offload/runner"
	"edgex-offload/standalone/emulator"
	"edgex-offload/standalone/testbed"
	"edgex-offload/twin"
)

// Options of Run.
type Options struct {
	// Cell is what both play, of its Trace exactly the length.
	Cell twin.Cell
	// Trace is the same trace for the emulator.
	Trace emulator.Trace
	Level Level
	// Seed decides which single packets are lost on the live link.
	Seed int64
	// Congestion is TCP's congestion control, by the kernel's name; empty leaves the defaults.
	Congestion string
	// Progress, when set, hears twice a second how much is still to come.
	Progress func(left time.Duration)
}

// Run plays the cell on the live system, in real time, and on the twin.
func Run(ctx context.Context, o Options) (*Comparison, error) {
	if len(o.Trace.Slots) == 0 {
		return nil, errors.New("twin check: Trace: 0 slots: allowed is one or more")
	}
	work, err := twin.DrawWork(o.Cell)
	if err != nil {
		return nil, fmt.Errorf("twin check: %w", err)
	}
	if n := len(work.Scenario().Targets); n != 1 {
		return nil, fmt.Errorf("twin check: Scenario: %d targets: allowed is one", n)
	}
	p := &play{options: o, work: work, tally: work.Tally()}
	if err := p.run(ctx); err != nil {
		return nil, fmt.Errorf("twin check: %w", err)
	}
	score, results, err := work.Play()
	if err != nil {
		return nil, fmt.Errorf("twin check: %w", err)
	}
	c := &Comparison{
		Class: o.Cell.Class.Name, Level: o.Level,
		Live: p.tally.Score(), Twin: score, LiveUpMB: float64(p.upBytes) / 1e6, Wakes: p.clock.Wakes(),
	}
	c.judge(work.Tasks, p.tally.Results(), results)
	return c, nil
}

// play is the live half under way.
type play struct {
	options Options
	work    *twin.Work
	bed     *testbed.Testbed
	clock   *testbed.Clock
	upBytes uint64

	mu    sync.Mutex // guards tally
	tally *twin.Tally
}

// processors are how many threads may run Go code at once: those that wait for the kernel's
// timer, and the one that moves packets, should not keep others from running.
const processors = 8

func (p *play) run(ctx context.Context) (err error) {
	before := runtime.GOMAXPROCS(0)
	runtime.GOMAXPROCS(max(before, processors))
	defer runtime.GOMAXPROCS(before)
	link, lead, err := openLink(&p.options)
	if err != nil {
		return err
	}
	models := &later{}
	p.bed, err = testbed.Connect(ctx, testbed.Options{
		Link: link, Models: models, Congestion: p.options.Congestion, Within: lead,
	})
	if err != nil {
		return err
	}
	p.clock = testbed.NewClock(time.Now().Add(lead - link.Elapsed()))
	models.Models = newCloud(p.work, p.clock)
	defer func() { err = errors.Join(err, p.bed.Close()) }()
	if !p.clock.Sleep(ctx, 0) {
		return ctx.Err()
	}
	if err := p.bed.Run(p.runner()); err != nil {
		return err
	}
	sent := link.UpBytes()
	err = p.feed(ctx)
	p.upBytes = link.UpBytes() - sent
	return err
}

// later are models that are set before the first task comes.
type later struct{ remote.Models }

func (p *play) runner() runner.Options {
	return runner.Options{
		Settings: p.options.Cell.Settings, Models: p.work.Models(), Power: p.work.Power(),
		Local: &box{work: p.work, clock: p.clock, ran: p.ran}, Workers: 1,
		Targets: []runner.Target{{Name: p.work.Scenario().Targets[0].Name, Remote: counted{p.bed.Client, p}}},
	}
}

// feed hands the tasks over as they arrive, and returns when all have ended: at their
// deadlines at the latest.
func (p *play) feed(ctx context.Context) error {
	tasks, giveUp := context.WithCancel(ctx)
	defer giveUp()
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() { p.tell(tasks) })
	for i := range p.work.Tasks {
		t := &p.work.Tasks[i]
		if !p.clock.Sleep(ctx, t.At) {
			return ctx.Err()
		}
		// Captured here: one whose turn to run comes late has that much less time.
		task := p.bed.Task(strconv.Itoa(i), t.Model, t.Priority, t.Bytes, t.Allowed)
		running.Go(func() { p.finished(i, p.bed.Runner.Do(ctx, task)) })
	}
	if !p.clock.Sleep(ctx, p.options.Cell.Length()) {
		return ctx.Err()
	}
	return nil
}

// tell tells how much is still to come until ctx ends or nothing is.
func (p *play) tell(ctx context.Context) {
	if p.options.Progress == nil {
		return
	}
	tick := time.NewTicker(time.Second / 2)
	defer tick.Stop()
	for length := p.options.Cell.Length(); ; {
		left := max(0, length-p.clock.Now())
		p.options.Progress(left)
		if left == 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (p *play) finished(i int, o offload.Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tally.Finished(i, &o)
}

func (p *play) ran(takes time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tally.Ran(takes)
}

// counted is a client that counts what it is asked to send.
type counted struct {
	*remote.Client
	play *play
}

// Offload is for runner.Remote.
func (c counted) Offload(ctx context.Context, task offload.Task, sent func()) (remote.Reply, error) {
	if i, err := number(c.play.work, task); err == nil {
		c.play.mu.Lock()
		c.play.tally.Sent(i, 0)
		c.play.mu.Unlock()
	}
	return c.Client.Offload(ctx, task, sent)
}
