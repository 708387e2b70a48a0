// SPDX-License-Identifier: Apache-2.0

package twin

import (
	"time"

	"edgex-offload/offload"
)

// linkCheckWork is what is sent to see how well a link is known: ten tasks a second, half
// of them frames and half sensor windows, none of which the box can run.
func linkCheckWork(length time.Duration, seed uint64) workload {
	d := newDraw(seed)
	w := workload{overload: d.episodes(length)}
	deadlines := []time.Duration{50, 100, 200, 500, 1000}
	for at := d.exponential(linkCheckEvery); at < length; at += d.exponential(linkCheckEvery) {
		j := job{at: at, priority: offload.Medium, sensor: d.IntN(2) == 0}
		j.allowed = deadlines[d.IntN(len(deadlines))] * time.Millisecond
		c := Class{JPEG: linkCheckFrame}
		if j.sensor {
			j.bytes = d.windowBytes()
		} else {
			j.bytes = d.frameBytes(c.JPEG)
		}
		j.cloud = d.cloudTime(j.sensor)
		w.jobs = append(w.jobs, j)
	}
	return w
}

const (
	linkCheckEvery = 100 * time.Millisecond
	linkCheckFrame = 60e3
	// lookEvery is how often the estimate is compared with the truth.
	lookEvery = 100 * time.Millisecond
	// linkCheckGrace lets every attempt come to its end, so that none of them is unknown.
	linkCheckGrace = time.Minute
)

// LinkCheckSettings are the engine's when its knowledge of a link is checked: everything is
// sent, whatever it is known to be good for, and waited for.
func LinkCheckSettings() offload.Settings {
	s := offload.DefaultSettings()
	s.Policy, s.Hedge, s.Grace = offload.PolicyCloud, false, linkCheckGrace
	return s
}

// CheckLink plays tasks over a trace and compares what the engine knows of the link, and
// predicts of each attempt, with the truth.
func CheckLink(trace Trace, seed uint64) (*LinkTally, error) {
	c := &linkCheck{}
	remote := []offload.Model{
		{Name: "frame", Remote: offload.RemoteModel{Accuracy: accuracyCloud, Service: cloudService}},
		{Name: "window", Remote: offload.RemoteModel{Accuracy: accuracyCloud, Service: cloudSensor}},
	}
	s, err := newSimulation(Cell{Settings: LinkCheckSettings(), Trace: trace, Seed: seed}, remote)
	if err != nil {
		return nil, err
	}
	c.simulation = s
	s.work = linkCheckWork(s.length, seed)
	s.finished = c.finished
	c.pinged = make([][2]float64, len(s.work.jobs))
	for i := range s.work.jobs { // before the task of the same time: it was made first
		s.at(s.work.jobs[i].at, func() { c.pinged[i][0], c.pinged[i][1] = c.pings.MeanAndDeviation() })
	}
	for at := time.Duration(0); at < s.length; at += time.Second {
		s.at(at, c.ping)
	}
	for at := lookEvery; at < s.length; at += lookEvery {
		s.at(at, c.look)
	}
	s.run()
	c.tally.Spent(float64(s.probeBytes), s.length)
	return &c.tally, nil
}

// linkCheck is a check under way.
type linkCheck struct {
	*simulation
	tally LinkTally
	pings Pings
	// pinged is what the pings said when a task arrived.
	pinged [][2]float64
}

func (c *linkCheck) ping() {
	back, lost := c.wire.probe(c.now)
	if sent := c.now; !lost {
		c.at(back, func() { c.pings.Add((back - sent).Seconds()) })
	}
}

// look compares the estimate with the last second of the trace.
func (c *linkCheck) look() {
	e, _ := c.engine.Estimate(0)
	c.tally.Look(
		Known{RTT: e.RTT.Seconds(), Up: e.Up.BytesPerSecond, Loss: e.Loss},
		c.cell.Trace.truth(c.now),
	)
}

// truth is what the trace was like in the last second, and its loss in the last 15 s.
func (t Trace) truth(now time.Duration) (k Known) {
	const second, window = 20, 300
	slots, up, works := 0, 0., []float64{}
	lost := 0.
	for i := range window {
		at := now - time.Duration(i)*SlotLength
		if at < 0 {
			break
		}
		s := t.at(at)
		slots++
		lost += one(s.Lost)
		if i >= second {
			continue
		}
		up += s.Up / second
		if !s.Lost && s.Up > 0 {
			works = append(works, s.RTT.Seconds())
		}
	}
	return Known{RTT: middle(works), Up: up, Loss: lost / float64(max(slots, 1))}
}

func (c *linkCheck) finished(ref int, o offload.Outcome) {
	r := &o.Record
	if o.Answer == nil || len(r.Attempts) != 1 {
		return
	}
	p := &r.Paths[len(r.Paths)-1]
	c.tally.Attempt(LinkAttempt{
		Took: (r.LatencyMs - r.ArrivedMs) / 1000, Bound: p.P95Ms / 1000,
		InTime: p.InTime, Deadline: r.DeadlineMs / 1000,
		Rest:     (p.WaitMs + p.TransferMs + p.ServiceMs) / 1000,
		PingMean: c.pinged[ref][0], PingDeviation: c.pinged[ref][1],
	})
}
