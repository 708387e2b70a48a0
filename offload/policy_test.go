// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
)

// goldenPath is one path of a case in testdata/policies.json, in milliseconds.
type goldenPath struct {
	Unusable   string
	Unmeasured bool
	WaitMs     float64
	RTTMs      float64 `json:"rttMs"`
	JitterMs   float64
	Loss       float64
	TransferMs float64
	ServiceMs  float64
	Accuracy   float64
	Joules     float64
	Bytes      int
	InTime     float64
}

// goldenLink is what a case says of its link.
type goldenLink struct{ goldenPath }

func (g goldenLink) Known() bool                 { return !g.Unmeasured }
func (g goldenLink) RTT() time.Duration          { return time.Duration(g.RTTMs * 1e6) }
func (g goldenLink) SteadyJitter() time.Duration { return time.Duration(g.JitterMs * 1e6) }
func (g goldenLink) Loss() float64               { return g.goldenPath.Loss }
func (g goldenLink) Heard() time.Duration        { return 0 }

func (g goldenPath) path(target int, name string, left time.Duration, s Settings) path {
	at := func(ms float64) time.Duration { return time.Duration(ms * 1e6) }
	margin := s.JitterFactor * g.JitterMs
	expected := g.WaitMs + g.TransferMs + g.RTTMs + g.ServiceMs + margin
	p := path{
		target: target, left: left, expected: at(expected), joules: g.Joules, price: float64(g.Bytes) / 1e6,
		link: goldenLink{g},
		view: &PathView{
			Target: name, Usable: g.Unusable == "", Block: block(g.Unusable), Accuracy: g.Accuracy, WaitMs: g.WaitMs,
			TransferMs: g.TransferMs, RTTMs: g.RTTMs, JitterMs: g.JitterMs, LossRatio: g.Loss, InTime: g.InTime, ServiceMs: g.ServiceMs, MarginMs: margin, ExpectedMs: expected,
		},
	}
	return p
}

func block(says string) Block {
	if says == "" {
		return Block{}
	}
	return Block{What: Blocked(says)} // which is shown as it is
}

func TestPoliciesOnGoldenCases(t *testing.T) {
	raw, err := os.ReadFile("testdata/policies.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name, Policy, Want, Why   string
		LeftMs                    float64
		JitterFactor              *float64
		EnergyWeight, MoneyWeight float64
		Priority                  Priority
		Local, Cloud              goldenPath
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			s := DefaultSettings()
			s.Weights.Accuracy, s.Weights.Energy, s.Weights.Money = 10, c.EnergyWeight, c.MoneyWeight
			if c.JitterFactor != nil {
				s.JitterFactor = *c.JitterFactor
			}
			left := time.Duration(c.LeftMs * 1e6)
			paths := []path{c.Local.path(onBox, Local, left, s), c.Cloud.path(0, "cloud", left, s)}
			j := &job{task: &Task{Priority: c.Priority}}
			chosen, settled := policyFor(c.Policy, &s.Learning, nil).choose(&decision{job: j, paths: paths, settings: &s, energyPrice: s.Weights.Energy})
			got, r := "none", Record{Policy: c.Policy, Settled: settled, DeadlineMs: c.LeftMs}
			for _, p := range paths {
				r.Paths = append(r.Paths, *p.view)
			}
			if chosen >= 0 {
				got = paths[chosen].view.Target
				r.Decided = got
			}
			kept := r.Detach()
			why := kept.Why
			if got != c.Want || !strings.Contains(why, c.Why) {
				t.Errorf("chose %s because %q; want %s because %q", got, why, c.Want, c.Why)
			}
		})
	}
}
