// SPDX-License-Identifier: Apache-2.0

package routes

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"edgex-offload/offload/trial"
)

// Compared reads what the policies came to; (*runner.Runner).Policies is one.
type Compared func() (since time.Time, rows []trial.Row)

// Policies answers with the policies that decided, and with those that only chose, since the
// settings were last changed.
func Policies(read Compared) echo.HandlerFunc {
	return func(c echo.Context) error {
		since, rows := read()
		return c.JSON(http.StatusOK, struct {
			head
			Since    time.Time   `json:"since"`
			Policies []trial.Row `json:"policies"`
		}{ok(), since, rows})
	}
}

// policyCollector turns the comparison into metrics at each scrape.
type policyCollector struct {
	read                       Compared
	tasks, missed, p99, agreed *prometheus.Desc
}

func newPolicyCollector(read Compared) *policyCollector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("offload_policy_"+name, help, append([]string{"policy", "role"}, labels...), nil)
	}
	return &policyCollector{
		read:   read,
		tasks:  desc("tasks", "Tasks that the policy decided, or as a shadow would have, since the settings were last changed."),
		missed: desc("missed_ratio", "Share without a result by the deadline: value, and the 95% interval's low and high.", "bound"),
		p99:    desc("p99_seconds", "Time that 99 of 100 tasks keep: value, and the 95% interval's low and high.", "bound"),
		agreed: desc("agreed_ratio", "Share of a shadow's tasks in which it chose what was done."),
	}
}

// Describe sends nothing: which policies there are depends on the configuration.
func (c *policyCollector) Describe(chan<- *prometheus.Desc) {}

// Collect is called by many goroutines at once.
func (c *policyCollector) Collect(out chan<- prometheus.Metric) {
	_, rows := c.read()
	s := sink{out}
	for i := range rows {
		r := &rows[i]
		s.gauge(c.tasks, float64(r.Tasks), r.Policy, r.Role)
		for bound, of := range map[string]func(trial.Interval) float64{
			"value": func(i trial.Interval) float64 { return i.Value },
			"low":   func(i trial.Interval) float64 { return i.Low },
			"high":  func(i trial.Interval) float64 { return i.High },
		} {
			s.gauge(c.missed, of(r.Missed), r.Policy, r.Role, bound)
			s.gauge(c.p99, of(r.P99Ms)/1000, r.Policy, r.Role, bound) // +Inf where there is none
		}
		if r.Agreed != nil {
			s.gauge(c.agreed, *r.Agreed, r.Policy, r.Role)
		}
	}
}
