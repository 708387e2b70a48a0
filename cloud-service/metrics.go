// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"path"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/grpc/codes"

	"edgex-offload/infer"
	"edgex-offload/remote"
)

// metrics are what Prometheus reads.
type metrics struct {
	registry  *prometheus.Registry
	tasks     *prometheus.CounterVec
	bytes     prometheus.Counter
	queue     prometheus.Histogram
	execution *prometheus.HistogramVec
}

func newMetrics(s *service) *metrics {
	const namespace = "offload_cloud"
	// From 1 ms to 8 s, each twice the one before.
	buckets := prometheus.ExponentialBuckets(.001, 2, 14)
	m := &metrics{
		registry: prometheus.NewRegistry(),
		tasks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "tasks_total",
			Help: "Tasks by kind (ModelInfer for one of the Open Inference Protocol, empty where it was not read or not valid) and result: ok, failed, or the gRPC status of the refusal.",
		}, []string{"kind", "result"}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Name: "payload_bytes_total", Help: "Bytes of payload received.",
		}),
		queue: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Name: "queue_seconds", Help: "Time that tasks waited for a place to run.", Buckets: buckets,
		}),
		execution: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "execution_seconds", Help: "Time that tasks ran, by the model they asked for.", Buckets: buckets,
		}, []string{"model"}),
	}
	load := func(name, help string, value func() int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help},
			func() float64 { return float64(value()) })
	}
	m.registry.MustRegister(
		m.tasks, m.bytes, m.queue, m.execution, newModelCollector(s.repository),
		load("tasks_running", "Tasks that run now.", func() int { n, _ := s.server.Load(); return n }),
		load("tasks_waiting", "Tasks that wait now.", func() int { _, n := s.server.Load(); return n }),
		load("models_ready", "Models that answer now.", s.ready),
		load("models_failed", "Models that could not be loaded; /healthz says why.", func() int { return s.count(infer.Failed) }),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// observe counts a task. Only names that are known here become a label: a kind that is
// valid, and a model that answered.
func (m *metrics) observe(served remote.Served) {
	kind, result := served.Kind.String(), strings.ToLower(served.Code.String())
	switch {
	case served.Method != "":
		kind = path.Base(served.Method)
	case !served.Read || served.Code == codes.InvalidArgument:
		kind = "" // not known, or what is not valid
	}
	if served.Failed {
		result = "failed"
	}
	m.tasks.WithLabelValues(kind, result).Inc()
	m.bytes.Add(float64(served.RequestBytes))
	if served.Queue > 0 {
		m.queue.Observe(served.Queue.Seconds())
	}
	if result == "ok" {
		m.execution.WithLabelValues(served.Model).Observe(served.Execution.Seconds())
	}
}
