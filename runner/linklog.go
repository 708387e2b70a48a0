// SPDX-License-Identifier: Apache-2.0

package runner

import (
	"context"
	"time"

	"edgex-offload/offload"
	"edgex-offload/offload/link"
)

const (
	// historyLength is ten minutes of points, one a second.
	historyLength = 600
	// mostSamples are an hour of probes at 4 Hz, 1 MB.
	mostSamples = 16384
)

// linkLog is what the driver keeps of one target's link; the Runner's lock guards it.
type linkLog struct {
	probes     map[uint64]context.CancelFunc // under way
	probeBytes uint64
	method     string

	seen    offload.Marks
	told    bool // that it is down
	samples []LinkSample
	taken   uint64 // samples ever
	history ring
	// spent is probeBytes at each of the last sixty seconds.
	spent [60]uint64
}

// followLinks notes what was measured since the last event, and logs when a target stops or
// starts to be usable, and when something is measured for the first time that cannot be.
func (r *Runner) followLinks() {
	for i := range r.links {
		l, now := &r.links[i], r.engine.Marks(i)
		if now == l.seen {
			continue
		}
		before := l.seen
		l.seen = now
		r.takeSamples(l, i, &before, &now)
		name := r.options.Targets[i].Name
		for reason := range now.Rejected {
			if before.Rejected[reason] == 0 && now.Rejected[reason] > 0 {
				r.logger.Warn("a measurement cannot be and is not used; more like it are only counted",
					"target", name, "reason", link.Reason(reason).String())
			}
		}
		if now.Failing == l.told {
			continue
		}
		l.told = now.Failing
		if now.Failing {
			r.logger.Info("target down", "target", name, "reason", r.engine.Target(i).Unusable)
		} else {
			r.logger.Info("target up", "target", name)
		}
	}
}

// takeSamples keeps what is new for a recording.
func (r *Runner) takeSamples(l *linkLog, target int, before, now *offload.Marks) {
	wall := func(at time.Duration) int64 { return r.epoch.Add(at).UnixNano() }
	if now.RTTAt != before.RTTAt {
		l.take(LinkSample{Kind: "rtt", AtNs: wall(now.RTTAt - now.Trip), RTTMs: ms(now.Trip)})
	}
	if now.UpAt != before.UpAt || now.DownAt != before.DownAt {
		known, _ := r.engine.Estimate(target)
		if now.UpAt != before.UpAt {
			l.take(LinkSample{Kind: "up", AtNs: wall(now.UpAt), Kbps: kbps(known.Up.BytesPerSecond)})
		}
		if now.DownAt != before.DownAt {
			l.take(LinkSample{Kind: "down", AtNs: wall(now.DownAt), Kbps: kbps(known.Down.BytesPerSecond)})
		}
	}
	for range now.ProbesLost - before.ProbesLost {
		timeout := r.options.Probing.Timeout
		l.take(LinkSample{Kind: "lost", AtNs: time.Now().Add(-timeout).UnixNano(), RTTMs: ms(timeout)})
	}
}

func (l *linkLog) take(s LinkSample) {
	l.taken++
	s.Seq = l.taken
	if len(l.samples) < mostSamples {
		l.samples = append(l.samples, s)
		return
	}
	l.samples[(s.Seq-1)%mostSamples] = s
}

// LinkSamples are the measurements of a target after a sequence number, oldest first,
// limit at the most, of the last 16384 that are kept; false for a target that is not there.
func (r *Runner) LinkSamples(target string, limit int, after uint64) ([]LinkSample, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.links {
		if r.options.Targets[i].Name == target {
			return r.links[i].since(limit, after), true
		}
	}
	return nil, false
}

func (l *linkLog) since(limit int, after uint64) []LinkSample {
	after = min(max(after, l.taken-uint64(len(l.samples))), l.taken)
	n := min(uint64(max(limit, 0)), l.taken-after)
	out := make([]LinkSample, n)
	for i := range out {
		out[i] = l.samples[(after+uint64(i))%mostSamples]
	}
	return out
}

// keepHistory takes a point of each link each second until ctx ends.
func (r *Runner) keepHistory(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			r.takePoints(now)
		}
	}
}

func (r *Runner) takePoints(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.links {
		known, _ := r.engine.Estimate(i)
		l := &r.links[i]
		l.history.add(LinkPoint{
			AtMs: now.UnixMilli(), RTTMs: ms(known.RTT), JitterMs: ms(known.Jitter.StdDev),
			UpKbps: kbps(known.Up.BytesPerSecond), DownKbps: kbps(known.Down.BytesPerSecond),
			Loss: known.Loss, Up: r.engine.Target(i).Unusable == "",
		})
		copy(l.spent[:], l.spent[1:])
		l.spent[len(l.spent)-1] = l.probeBytes
	}
}

// perMinute is what probes took in the last minute, in bytes.
func (l *linkLog) perMinute() float64 { return float64(l.probeBytes - l.spent[0]) }

// ring keeps the last historyLength points.
type ring struct {
	points []LinkPoint
	next   int
}

func (r *ring) add(p LinkPoint) {
	if len(r.points) < historyLength {
		r.points = append(r.points, p)
		return
	}
	r.points[r.next] = p
	r.next = (r.next + 1) % historyLength
}

// all are the points, oldest first.
func (r *ring) all() []LinkPoint {
	out := make([]LinkPoint, 0, len(r.points))
	return append(append(out, r.points[r.next:]...), r.points[:r.next]...)
}
