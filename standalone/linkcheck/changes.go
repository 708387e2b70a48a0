// SPDX-License-Identifier: Apache-2.0

package linkcheck

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"edgex-offload/runner"
	"edgex-offload/twin"
)

// ChangesOptions of Changes.
type ChangesOptions struct {
	// Repetitions of each change with each kind of traffic, one after the other; each takes
	// some 40 s. Default 10.
	Repetitions int
	Seed        int64
	// CongestionControl is as in Options.
	CongestionControl string
	// Progress, when set, hears of each change: how long it took until it was known, or that
	// it was not. It is called by one goroutine at a time.
	Progress func(change string, traffic Traffic, took time.Duration, known bool)
}

const (
	// settled is the pause between two changes, and phase what is added to it by chance, so
	// that changes meet probes and tasks in each of their phases.
	settled, phase = 4 * time.Second, 2 * time.Second
	mostRepeated   = 1000
)

// outages are the lengths of those after which recovery is measured.
func outages() []time.Duration {
	return []time.Duration{time.Second, 3 * time.Second, 6 * time.Second}
}

// Changes scripts a link of 10 Mbit/s and 40 ms and measures how long it takes until the box
// knows of a change: that the rate up is half of what it was or back to it (the estimate is
// within 25% of it), that the link is out (the target is not usable), and that it is back
// after an outage of 1, 3 and 6 s (it is usable). A change that was not known within ten
// seconds, an outage that was not while it lasted, is counted as unknown and as ten seconds.
func Changes(ctx context.Context, o ChangesOptions) ([]twin.LinkChange, error) {
	if o.Repetitions == 0 {
		o.Repetitions = 10
	}
	if o.Repetitions < 0 || o.Repetitions > mostRepeated {
		return nil, fmt.Errorf("link changes: Repetitions: %d: allowed is 0 to %d", o.Repetitions, mostRepeated)
	}
	report := &changeReport{progress: o.Progress}
	kinds := []Traffic{Busy, Asked}
	errs := make([]error, len(kinds))
	var running sync.WaitGroup
	for i, traffic := range kinds { // side by side: each has a link of its own
		running.Go(func() { errs[i] = runScript(ctx, traffic, &o, report) })
	}
	running.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("link changes: %w", err)
	}
	return report.changes(), nil
}

func runScript(ctx context.Context, traffic Traffic, o *ChangesOptions, report *changeReport) (err error) {
	b, err := startSteady(ctx, traffic, steadyRate, o.Seed, o.CongestionControl, steadyService)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var sending sync.WaitGroup
	defer func() {
		cancel()
		sending.Wait()
		err = errors.Join(err, b.Close())
	}()
	work := twin.LinkCheckWork(time.Minute, twin.LinkCheckEvery(steadyRate), uint64(o.Seed))
	sending.Go(func() { b.send(ctx, work.Tasks) })
	s := &script{bench: b, traffic: traffic, chance: rand.New(rand.NewPCG(uint64(o.Seed), 7)), report: report}
	for range o.Repetitions {
		if err := s.repetition(ctx); err != nil {
			return err
		}
	}
	return nil
}

// script plays the changes on one bench.
type script struct {
	*bench
	traffic Traffic
	chance  *rand.Rand
	report  *changeReport
}

func (s *script) repetition(ctx context.Context) error {
	for _, change := range []struct {
		name string
		rate float64
	}{{"rate halved", steadyRate / 2}, {"rate restored", steadyRate}} {
		if err := s.settle(ctx); err != nil {
			return err
		}
		since := s.network.Set(link(change.rate))
		took, known := s.watch(ctx, since, twin.Watched, func(now *runner.LinkStatus) bool {
			return twin.RateIsKnown(now.UpKbps*1000/8, change.rate)
		})
		s.report.add(change.name, s.traffic, took, known)
	}
	for _, lasts := range outages() {
		if err := s.settle(ctx); err != nil {
			return err
		}
		s.outage(ctx, lasts)
	}
	return ctx.Err()
}

func (s *script) outage(ctx context.Context, lasts time.Duration) {
	down := func(now *runner.LinkStatus) bool { return !now.Up }
	since := s.network.Cut()
	took, known := s.watch(ctx, since, lasts, down)
	s.report.add("outage", s.traffic, took, known)
	sleep(ctx, since+lasts-s.network.Elapsed())
	since = s.network.Restore()
	if !known {
		return // it has nothing to recover from
	}
	took, known = s.watch(ctx, since, twin.Watched, func(now *runner.LinkStatus) bool { return now.Up })
	s.report.add(fmt.Sprintf("recovery after %v", lasts), s.traffic, took, known)
}

// settle waits until all is well, and for some more.
func (s *script) settle(ctx context.Context) error {
	sleep(ctx, settled+time.Duration(s.chance.Float64()*float64(phase)))
	if _, up := s.watch(ctx, s.network.Elapsed(), twin.Watched, func(now *runner.LinkStatus) bool { return now.Up }); !up && ctx.Err() == nil {
		return fmt.Errorf("the target is not usable over a link that works: %s", s.link().Reason)
	}
	return ctx.Err()
}

// watch is how long after since the link is known to be so, and whether it is within a time.
func (s *script) watch(ctx context.Context, since, within time.Duration, is func(*runner.LinkStatus) bool) (time.Duration, bool) {
	for {
		now := s.network.Elapsed() - since
		if now > within {
			return 0, false
		}
		if status := s.link(); now >= 0 && is(&status) {
			return now, true
		}
		if !sleep(ctx, twin.WatchEvery) {
			return 0, false
		}
	}
}

// changeReport collects what changes took. It is safe for concurrent use.
type changeReport struct {
	progress func(string, Traffic, time.Duration, bool)

	mu   sync.Mutex
	rows []changeRow
}

type changeRow struct {
	change  string
	order   int // of the change among all
	traffic Traffic
	took    []time.Duration
	unknown int
}

func (r *changeReport) add(change string, traffic Traffic, took time.Duration, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.progress != nil {
		r.progress(change, traffic, took, known)
	}
	i, order := -1, len(r.rows)
	for k := range r.rows {
		if row := &r.rows[k]; row.change == change {
			order = row.order
			if row.traffic == traffic {
				i = k
			}
		}
	}
	if i < 0 {
		i = len(r.rows)
		r.rows = append(r.rows, changeRow{change: change, order: order, traffic: traffic})
	}
	row := &r.rows[i]
	if !known {
		row.unknown++
		took = twin.Watched
	}
	row.took = append(row.took, took)
}

// changes are in the order in which they were made, those of one kind together.
func (r *changeReport) changes() []twin.LinkChange {
	r.mu.Lock()
	defer r.mu.Unlock()
	slices.SortStableFunc(r.rows, func(a, b changeRow) int { return a.order - b.order })
	var all []twin.LinkChange
	for _, row := range r.rows {
		all = append(all, twin.NewLinkChange(row.change, string(row.traffic), row.took, row.unknown))
	}
	return all
}
