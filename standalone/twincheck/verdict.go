// SPDX-License-Identifier: Apache-2.0

package twincheck

import (
	"math"

	"edgex-offload/standalone/testbed"
	"edgex-offload/twin"
)

// Tolerance is by how much the shares of missed deadlines may differ: one point.
const Tolerance = .01

// Comparison is what a cell came to on both sides.
type Comparison struct {
	Class string     `json:"class"`
	Level Level      `json:"level"`
	Live  twin.Score `json:"live"`
	Twin  twin.Score `json:"twin"`
	// LiveUpMB are 10^6 bytes that went over the live uplink, probes and acknowledgements
	// included.
	LiveUpMB float64 `json:"live_up_mb"`
	Verdict  `json:"verdict"`
	Wakes    testbed.Wakes `json:"wakes"`
	// Different are the tasks that one side alone missed.
	Different []Different `json:"different"`
}

// Verdict says whether the shares of missed deadlines agree.
type Verdict struct {
	// Difference is the live system's share less the twin's, 0 to 1, and Agree that it is
	// within Tolerance.
	Difference float64 `json:"difference"`
	Agree      bool    `json:"agree"`
	// StandardError is that of the difference, had each side missed each task by a chance of
	// its own (binomial). Both meet the same tasks, so that it overstates: a difference below
	// twice of it says nothing, one above it is real.
	StandardError float64 `json:"standard_error"`
	// OnlyLive and OnlyTwin are the tasks that one side alone missed. What they have in
	// common is what differs between the two.
	OnlyLive int `json:"only_live"`
	OnlyTwin int `json:"only_twin"`
}

// Different is a task that one side alone missed.
type Different struct {
	Task      int     `json:"task"`
	AtS       float64 `json:"at_s"`
	Model     string  `json:"model"`
	Bytes     int     `json:"bytes"`
	Priority  string  `json:"priority"`
	AllowedMs float64 `json:"allowed_ms"`

	Live twin.TaskResult `json:"live"`
	Twin twin.TaskResult `json:"twin"`
}

// judge compares the results of the same tasks.
func (c *Comparison) judge(tasks []twin.WorkTask, live, virtual []twin.TaskResult) {
	c.Verdict = newVerdict(live, virtual)
	c.Different = []Different{}
	for i, t := range tasks {
		if live[i].InTime == virtual[i].InTime {
			continue
		}
		c.Different = append(c.Different, Different{
			Task: i, AtS: t.At.Seconds(), Model: t.Model, Bytes: t.Bytes, Priority: t.Priority.String(),
			AllowedMs: t.Allowed.Seconds() * 1000, Live: live[i], Twin: virtual[i],
		})
	}
}

func newVerdict(live, virtual []twin.TaskResult) (v Verdict) {
	var missedLive, missedTwin int
	for i := range live {
		l, t := !live[i].InTime, !virtual[i].InTime
		missedLive, missedTwin = missedLive+one(l), missedTwin+one(t)
		v.OnlyLive, v.OnlyTwin = v.OnlyLive+one(l && !t), v.OnlyTwin+one(t && !l)
	}
	n := float64(max(len(live), 1))
	p, q := float64(missedLive)/n, float64(missedTwin)/n
	v.Difference = p - q
	v.StandardError = math.Sqrt((p*(1-p) + q*(1-q)) / n)
	v.Agree = math.Abs(v.Difference) <= Tolerance
	return v
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
