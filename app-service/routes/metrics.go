// SPDX-License-Identifier: Apache-2.0

package routes

import (
	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"edgex-offload/app-service/functions"
	"edgex-offload/runner"
)

// Metrics is a Prometheus registry of its own.
type Metrics struct {
	registry *prometheus.Registry
	latency  *prometheus.HistogramVec
}

// NewMetrics returns metrics that read view, links and policies at each scrape; Observe feeds
// the rest.
func NewMetrics(view func() View, links func(history bool) []runner.LinkStatus, policies Compared) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "offload_latency_seconds",
			Help:    "Time from capture to the result, by who answered.",
			Buckets: []float64{.002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5},
		}, []string{"route"}),
	}
	m.registry.MustRegister(m.latency, &collector{view: view, descs: newDescs()}, &machineCollector{view, newMachineDescs()}, &linkCollector{links, newLinkDescs()},
		newPolicyCollector(policies), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Observe is told each result; functions.Offload takes it.
func (m *Metrics) Observe(r functions.Result) {
	if r.Outcome.Answer != nil {
		m.latency.WithLabelValues(r.Outcome.Record.Route).Observe(r.Outcome.Record.LatencyMs / 1000)
	}
}

// Handler answers a scrape.
func (m *Metrics) Handler() echo.HandlerFunc {
	return echo.WrapHandler(promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		MaxRequestsInFlight: 4, ErrorHandling: promhttp.ContinueOnError,
	}))
}
