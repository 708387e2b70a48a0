// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"edgex-offload/infer"
)

// modelCollector turns the models' state into metrics at each scrape.
type modelCollector struct {
	models func() []infer.Status
	counts func() infer.Counts

	state, answers, errors, service, loads, swaps, verdicts, broken *prometheus.Desc
}

func newModelCollector(r *infer.Repository) *modelCollector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("offload_cloud_model_"+name, help, labels, nil)
	}
	return &modelCollector{
		models: r.Models, counts: r.Counts,
		state:    desc("state", "1 for the state a version is in: loading, ready, canary, draining, unloaded, failed, taken-back, elsewhere.", "variant", "state"),
		answers:  desc("answers_total", "Tasks that the version answered.", "variant"),
		errors:   desc("errors_total", "Tasks that it failed at, wrong payloads among them.", "variant"),
		service:  desc("service_seconds", "Quantiles of its last 256 execution times.", "variant", "quantile"),
		loads:    desc("loads_total", "Versions that were loaded, and that could not be.", "result"),
		swaps:    desc("swaps_total", "Versions that took another's place."),
		verdicts: desc("verdicts_total", "Versions on trial that were promoted, and that were taken back.", "verdict"),
		broken:   desc("drains_broken_total", "Replaced versions whose tasks did not end in time."),
	}
}

// Describe sends nothing: which metrics there are depends on the folder.
func (c *modelCollector) Describe(chan<- *prometheus.Desc) {}

// Collect is called by many goroutines at once.
func (c *modelCollector) Collect(out chan<- prometheus.Metric) {
	send := func(desc *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, kind, v, labels...) // names of folders are checked: they fit
	}
	for _, m := range c.models() {
		variant := m.Variant()
		for _, state := range infer.States() {
			is := 0.
			if m.State == state {
				is = 1
			}
			send(c.state, prometheus.GaugeValue, is, variant, string(state))
		}
		if m.P50Ms == 0 {
			continue // never loaded here
		}
		send(c.answers, prometheus.CounterValue, float64(m.Answers), variant)
		send(c.errors, prometheus.CounterValue, float64(m.Errors), variant)
		send(c.service, prometheus.GaugeValue, m.P50Ms/1000, variant, "0.5")
		send(c.service, prometheus.GaugeValue, m.P95Ms/1000, variant, "0.95")
		send(c.service, prometheus.GaugeValue, m.P99Ms/1000, variant, "0.99")
	}
	n := c.counts()
	send(c.loads, prometheus.CounterValue, float64(n.Loads), "loaded")
	send(c.loads, prometheus.CounterValue, float64(n.LoadFailures), "failed")
	send(c.swaps, prometheus.CounterValue, float64(n.Swaps))
	send(c.verdicts, prometheus.CounterValue, float64(n.Promoted), "promoted")
	send(c.verdicts, prometheus.CounterValue, float64(n.TakenBack), "taken-back")
	send(c.broken, prometheus.CounterValue, float64(n.DrainsBroken))
}
