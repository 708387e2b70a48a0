// SPDX-License-Identifier: Apache-2.0

package linkcheck

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"sync"
	"time"

	"edgex-offload/offload"
	"edgex-offload/runner"
	"edgex-offload/standalone/emulator"
	"edgex-offload/standalone/emulator/tun"
	"edgex-offload/twin"
)

const (
	// lookEvery is how often the estimate is compared with the truth, as in the twin.
	lookEvery = 100 * time.Millisecond
	// longest is how much of a trace is played when nothing else is asked for, as in the twin.
	longest = 400 * time.Second
	// patience is how long answers are waited for at the end.
	patience = 20 * time.Second
)

// Options of Run.
type Options struct {
	Trace emulator.Trace
	Name  string
	// For is how long it is played; it repeats at its end. 0 is its length, 400 s at the most.
	For time.Duration
	// Seed draws the tasks, and the packets that are lost where not all are.
	Seed int64
	// CongestionControl of TCP at both ends, by the kernel's name. Empty leaves the client's
	// and the server's own default.
	CongestionControl string
	// Progress, when set, hears once a second what is known and what is true.
	Progress func(Look)
	// Observe, when set, hears of each task's outcome. It must not block.
	Observe func(offload.Outcome)
}

func (o *Options) check() error {
	if len(o.Trace.Slots) == 0 {
		return errors.New("Trace: 0 slots: allowed is one or more")
	}
	if o.For == 0 {
		o.For = min(time.Duration(len(o.Trace.Slots))*emulator.Slot, longest)
	}
	if o.For < time.Second || o.For > emulator.MaxTrace {
		return fmt.Errorf("For: %v: allowed is 0 or 1s to %v", o.For, emulator.MaxTrace)
	}
	return nil
}

// meanUp is in bytes per second.
func (o *Options) meanUp() float64 {
	sum := 0.
	for _, slot := range o.Trace.Slots {
		sum += slot.UpBps
	}
	return sum / float64(len(o.Trace.Slots))
}

// Look is one comparison of what is known with what is true.
type Look struct {
	// At counts from the start of the trace.
	At           time.Duration
	Known, Truth twin.Known
	Up           bool
}

// Details of a check beyond its score.
type Details struct {
	For time.Duration
	// Tasks arrived; NotSent of them found no usable path, Unanswered were sent and had no
	// answer, Unknown of those because the check ended before their bound was over.
	Tasks, NotSent, Unanswered, Unknown int
	// Link is how it stood at the end.
	Link runner.LinkStatus
	// Looks are ten a second.
	Looks []Look
	// Counters are of the packets, by emulator.Up and emulator.Down, until the last task
	// arrived. Late is what the emulation added, and what was Missed did not meet the link.
	Counters [2]tun.Counters
}

// Run plays tasks over a trace and compares what the box knows of the link, and predicts of
// each attempt, with the truth. A check that ctx ends returns what it has, with ctx's error.
func Run(ctx context.Context, o Options) (*twin.LinkTally, Details, error) {
	if err := o.check(); err != nil {
		return nil, Details{}, fmt.Errorf("link check: %w", err)
	}
	c := &check{options: o, work: twin.LinkCheckWork(o.For, twin.LinkCheckEvery(o.meanUp()), uint64(o.Seed))}
	bench, err := start(ctx, setup{
		source: o.Trace.Start(), seed: o.Seed, congestion: o.CongestionControl,
		settings: twin.LinkCheckSettings(), models: twin.LinkCheckModels(), service: c.service,
	})
	if err != nil {
		return nil, Details{}, fmt.Errorf("link check: %w", err)
	}
	c.bench, c.details.For = bench, o.For
	err = errors.Join(c.run(ctx), bench.Close())
	if err != nil {
		err = fmt.Errorf("link check: %w", err)
	}
	return &c.tally, c.details, err
}

// check is one under way.
type check struct {
	*bench
	options Options
	work    *twin.LinkWork
	pinger  *pinger
	began   time.Duration // in the link's time, when the tasks begin

	mu      sync.Mutex // guards what follows
	tally   twin.LinkTally
	details Details
}

// service of a task that reaches the cloud now.
func (c *check) service(task offload.Task) time.Duration {
	number, err := strconv.Atoi(task.ID)
	if err != nil || number < 0 || number >= len(c.work.Tasks) {
		return 0
	}
	return c.work.Service(number, c.network.Elapsed()-c.began)
}

func (c *check) run(ctx context.Context) (err error) {
	if c.pinger, err = startPinger(ctx, c.network); err != nil {
		return err
	}
	defer c.pinger.close()
	c.began = c.network.Elapsed()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var looking sync.WaitGroup
	looking.Go(func() { c.keepLooking(ctx) })
	err = c.feed(ctx)
	cancel()
	looking.Wait()
	return err
}

// feed hands the tasks over as they arrive, and returns when all of them have ended.
func (c *check) feed(ctx context.Context) error {
	tasks, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	var running sync.WaitGroup
	defer running.Wait()
	epoch := time.Now()
	for i := range c.work.Tasks {
		t := &c.work.Tasks[i]
		if !sleep(ctx, time.Until(epoch.Add(t.At))) {
			giveUp()
			return ctx.Err()
		}
		running.Go(func() { c.do(tasks, i, t) })
	}
	sleep(ctx, time.Until(epoch.Add(c.options.For)))
	c.end()
	all := make(chan struct{})
	go func() { running.Wait(); close(all) }()
	select {
	case <-all:
	case <-time.After(patience):
	case <-ctx.Done():
	}
	giveUp()
	<-all
	return ctx.Err()
}

// end notes how things stand when the last task has arrived.
func (c *check) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.details.Link, c.details.Counters = c.link(), c.network.Counters()
	c.tally.Spent(float64(c.details.Link.ProbeBytes), c.options.For)
}

func (c *check) do(ctx context.Context, i int, t *twin.LinkTask) {
	a := twin.LinkAttempt{}
	a.PingMean, a.PingDeviation = c.pinger.known()
	o := c.Runner.Do(ctx, c.task(strconv.Itoa(i), t.Model, t.Bytes, t.Allowed))
	if c.options.Observe != nil {
		c.options.Observe(o)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finished(&a, &o)
}

// finished scores an outcome. An attempt that never had an answer took for ever: it did not
// hold its bound, nor its promise.
func (c *check) finished(a *twin.LinkAttempt, o *offload.Outcome) {
	r := &o.Record
	c.details.Tasks++
	if len(r.Attempts) == 0 {
		c.details.NotSent++
		return
	}
	p := &r.Paths[len(r.Paths)-1]
	a.Took, a.Bound = (r.LatencyMs-r.ArrivedMs)/1000, p.P95Ms/1000
	a.InTime, a.Deadline = p.InTime, r.DeadlineMs/1000
	a.Rest = (p.WaitMs + p.TransferMs + p.ServiceMs) / 1000
	if o.Answer == nil {
		c.details.Unanswered++
		if o.Reason == offload.Stopped && a.Took < max(a.Bound, a.Deadline) {
			c.details.Unknown++
			return
		}
		a.Took = math.Inf(1)
	}
	c.tally.Attempt(*a)
}

// keepLooking compares what is known with the truth until ctx ends.
func (c *check) keepLooking(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		look := c.look()
		if look.At > c.options.For {
			return
		}
		if c.options.Progress != nil && n%int(time.Second/lookEvery) == 0 {
			c.options.Progress(look)
		}
	}
}

func (c *check) look() Look {
	now, s := c.network.Elapsed(), c.link()
	look := Look{
		At: now - c.began, Up: s.Up,
		Known: twin.Known{RTT: s.RTTMs / 1000, Up: s.UpKbps * 1000 / 8, Loss: s.Loss},
		Truth: twin.LinkTruth(now, c.truth),
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.details.Looks = append(c.details.Looks, look)
	c.tally.Look(look.Known, look.Truth)
	return look
}

func (c *check) truth(at time.Duration) (rtt time.Duration, up, loss float64) {
	conditions := c.network.At(at)
	return conditions.RTT, conditions.UpBps, conditions.Loss
}

// sleep waits and tells whether ctx let it.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
