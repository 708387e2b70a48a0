// SPDX-License-Identifier: Apache-2.0

package twin

import (
	"time"

	"edgex-offload/offload"
)

// linkCheckWork is what is sent to see how well a link is known: half of it frames and half
// sensor windows, none of which the box can run.
func linkCheckWork(length, every time.Duration, seed uint64) workload {
	d := newDraw(seed)
	scenario := Benchmark()
	frames, windows := Size{Median: linkCheckFrame, Sigma: .35, Least: 20e3, Most: 500e3}, Size{Least: 1000, Most: 10e3}
	w := workload{scenario: &scenario, overload: [][]episode{d.episodes(&scenario.Overload, length)}}
	deadlines := []int{50, 100, 200, 500, 1000} // ms
	for at := d.exponential(every); at < length; at += d.exponential(every) {
		j := job{at: at, priority: offload.Medium}
		if d.IntN(2) == 0 {
			j.model = scenario.model("window")
		}
		j.allowed = time.Duration(deadlines[d.IntN(len(deadlines))]) * time.Millisecond
		if j.model > 0 {
			j.bytes = d.bytes(&windows, windows.Median)
		} else {
			j.bytes = d.bytes(&frames, frames.Median)
		}
		j.cloud = d.time(&scenario.TargetTime, float64(scenario.Targets[0].Service)*scenario.Models[j.model].RemoteShare)
		w.jobs = append(w.jobs, j)
	}
	return w
}

const (
	linkCheckFrame = 60e3
	linkCheckMean  = 36e3 // bytes of a task, frames and windows alike
	// lookEvery is how often the estimate is compared with the truth.
	lookEvery = 100 * time.Millisecond
	// linkCheckGrace lets every attempt come to its end, so that none of them is unknown.
	linkCheckGrace = time.Minute
)

// LinkCheckEvery is the mean time between the tasks of a check: a tenth of a second, or so
// long that they take half of what the link carries in the mean. On a link that they fill
// there would be little to know but their own queue.
func LinkCheckEvery(meanUp float64) time.Duration {
	const least, share = 100 * time.Millisecond, .5
	return max(least, time.Duration(linkCheckMean/(share*max(meanUp, 1e3))*float64(time.Second)))
}

func (t Trace) meanUp() float64 {
	sum := 0.
	for _, s := range t.Slots {
		sum += s.Up
	}
	return sum / float64(len(t.Slots))
}

// LinkCheckSettings are the engine's when its knowledge of a link is checked: everything is
// sent, whatever it is known to be good for, and waited for.
func LinkCheckSettings() offload.Settings {
	s := offload.DefaultSettings()
	s.Policy, s.Hedge, s.Grace = offload.PolicyCloud, false, linkCheckGrace
	return s
}

// LinkCheckModels are what the engine knows of the models then: none is on the box.
func LinkCheckModels() []offload.Model {
	s := Benchmark()
	models := s.models(Class{})
	for i := range models {
		models[i].Local = nil
	}
	return models
}

// LinkTask is one of the tasks that are sent then.
type LinkTask struct {
	At    time.Duration
	Model string
	Bytes int
	// Allowed is the time to its deadline.
	Allowed time.Duration
}

// LinkWork is the same work for a check over a link that is real.
type LinkWork struct {
	Tasks []LinkTask
	work  workload
}

// LinkCheckWork draws it, a task every so often in the mean (see LinkCheckEvery); the same
// arguments give the same.
func LinkCheckWork(length, every time.Duration, seed uint64) *LinkWork {
	w := &LinkWork{work: linkCheckWork(length, every, seed)}
	models := w.work.scenario.Models
	for i := range w.work.jobs {
		j := &w.work.jobs[i]
		w.Tasks = append(w.Tasks, LinkTask{At: j.at, Model: models[j.model].Name, Bytes: j.bytes, Allowed: j.allowed})
	}
	return w
}

// Service is how long the cloud takes for a task that reaches it at a time.
func (w *LinkWork) Service(task int, arrived time.Duration) time.Duration {
	return w.work.service(&w.work.jobs[task], 0, arrived)
}

// CheckLink plays tasks over a trace and compares what the engine knows of the link, and
// predicts of each attempt, with the truth.
func CheckLink(trace Trace, seed uint64) (*LinkTally, error) {
	c := &linkCheck{}
	s, err := newSimulation(Cell{Settings: LinkCheckSettings(), Trace: trace, Seed: seed}, LinkCheckModels())
	if err != nil {
		return nil, err
	}
	c.simulation = s
	s.work = linkCheckWork(s.length, LinkCheckEvery(trace.meanUp()), seed)
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
	back, lost := c.wires[0].probe(c.now)
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

// truth is what the trace was like of late.
func (t Trace) truth(now time.Duration) Known {
	return LinkTruth(now, func(at time.Duration) (rtt time.Duration, up, loss float64) {
		s := t.at(at)
		return s.RTT, s.Up, one(s.Lost)
	})
}

// LinkTruth is what a link was like in the last second, and its loss in the last 15 s; at
// tells the slot of a time, its loss as a probability, its rate in bytes per second.
func LinkTruth(now time.Duration, at func(time.Duration) (rtt time.Duration, up, loss float64)) (k Known) {
	const second, window = 20, 300
	slots, works := 0, []float64{}
	lost := 0.
	for i := range window {
		when := now - time.Duration(i)*SlotLength
		if when < 0 {
			break
		}
		rtt, up, loss := at(when)
		slots++
		lost += loss
		if i >= second {
			continue
		}
		k.Up += up / second
		if loss < 1 && up > 0 {
			works = append(works, rtt.Seconds())
		}
	}
	k.RTT, k.Loss = middle(works), lost/float64(max(slots, 1))
	return k
}

func (c *linkCheck) finished(ref int, o *offload.Outcome) {
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
