// SPDX-License-Identifier: Apache-2.0

package routes

import (
	"github.com/prometheus/client_golang/prometheus"

	"edgex-offload/app-service/functions"
	"edgex-offload/cascade"
	"edgex-offload/runner"
)

// collector turns a View into metrics at each scrape, so that nothing is counted twice.
type collector struct {
	view  func() View
	descs descs
}

// descs are in the base units of Prometheus: seconds, bytes, ratios.
type descs struct {
	arrived, tasks, onTime, underWay, waiting, running *prometheus.Desc
	up, targetWaiting, targetInFlight                  *prometheus.Desc
	remoteService, localService                        *prometheus.Desc
	passedOver, events, configuration                  *prometheus.Desc
	cascades, cascadeUsable                            *prometheus.Desc
	models                                             modelDescs
}

func newDescs() descs {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("offload_"+name, help, labels, nil)
	}
	return descs{
		arrived:        desc("tasks_arrived_total", "Tasks that arrived."),
		tasks:          desc("tasks_total", "Tasks that ended, by who answered (none: nobody) and the reason why there is no result.", "route", "reason"),
		onTime:         desc("tasks_on_time_total", "Results within their deadline."),
		underWay:       desc("tasks_under_way", "Tasks without an outcome yet."),
		waiting:        desc("tasks_waiting", "Tasks that wait for the box."),
		running:        desc("tasks_running", "Tasks that run on the box."),
		up:             desc("target_up", "1 while tasks are sent there.", "target"),
		targetWaiting:  desc("target_waiting", "Tasks in the send queue.", "target"),
		targetInFlight: desc("target_in_flight", "Tasks handed over and not answered.", "target"),
		remoteService:  desc("target_service_seconds", "Mean execution time there, by model.", "target", "model"),
		localService:   desc("local_service_seconds", "Mean execution time on the box, by model variant.", "variant"),
		models:         newModelDescs(desc),
		passedOver:     desc("readings_passed_over_total", "What did not become a task, by reason.", "reason"),
		events:         desc("outcome_events_total", "Outcome events: published, failed, withheld, busy.", "way"),
		cascades:       desc("cascade_pictures_total", "Pictures that went through a cascade: complete, partial (a stage lacks a result), or none with the reason.", "cascade", "result", "reason"),
		cascadeUsable:  desc("cascade_usable", "1 while pictures go through it.", "cascade"),
		configuration:  desc("configuration_changes_total", "Changes while running: accepted, refused.", "result"),
	}
}

// Describe sends nothing: which metrics there are depends on the configuration.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

// Collect is called by many goroutines at once.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	v, d := c.view(), &c.descs
	s := sink{out}
	c.tasks(s, v.Tasks)
	for _, t := range v.Targets {
		c.target(s, t)
	}
	for variant, ms := range v.LocalServiceMs {
		s.gauge(d.localService, ms/1000, variant)
	}
	d.models.collect(s, v.Models, v.ModelCounts)
	for _, status := range v.Cascades {
		c.cascade(s, status)
	}
	for reason, n := range v.PassedOver {
		s.counter(d.passedOver, n, reason)
	}
	for way, n := range v.Events {
		s.counter(d.events, n, way)
	}
	s.counter(d.configuration, v.Configuration.Accepted, "accepted")
	s.counter(d.configuration, v.Configuration.Refused, "refused")
}

func (c *collector) tasks(s sink, t runner.Tasks) {
	d := &c.descs
	s.counter(d.arrived, t.Arrived)
	for route, n := range t.Routes {
		s.counter(d.tasks, n, route, "")
	}
	for reason, n := range t.Dropped {
		s.counter(d.tasks, n, functions.RouteNone, reason)
	}
	s.counter(d.onTime, t.OnTime)
	s.gauge(d.underWay, float64(t.UnderWay))
	s.gauge(d.waiting, float64(t.Waiting))
	s.gauge(d.running, float64(t.Running))
}

func (c *collector) target(s sink, t runner.TargetStatus) {
	d := &c.descs
	s.gauge(d.up, one(t.Up), t.Name)
	s.gauge(d.targetWaiting, float64(t.Waiting), t.Name)
	s.gauge(d.targetInFlight, float64(t.InFlight), t.Name)
	for model, ms := range t.ServiceMs {
		s.gauge(d.remoteService, ms/1000, t.Name, model)
	}
}

func (c *collector) cascade(s sink, status cascade.Status) {
	d := &c.descs
	s.gauge(d.cascadeUsable, one(status.Usable), status.Name)
	s.counter(d.cascades, status.Complete, status.Name, "complete", "")
	s.counter(d.cascades, status.Partial, status.Name, "partial", "")
	for reason, n := range status.None {
		s.counter(d.cascades, n, status.Name, "none", reason)
	}
}

type sink struct{ out chan<- prometheus.Metric }

func (s sink) counter(desc *prometheus.Desc, n uint64, labels ...string) {
	s.send(desc, prometheus.CounterValue, float64(n), labels)
}

func (s sink) gauge(desc *prometheus.Desc, v float64, labels ...string) {
	s.send(desc, prometheus.GaugeValue, v, labels)
}

// send reports a label that Prometheus cannot take as an error of the scrape.
func (s sink) send(desc *prometheus.Desc, kind prometheus.ValueType, v float64, labels []string) {
	metric, err := prometheus.NewConstMetric(desc, kind, v, labels...)
	if err != nil {
		metric = prometheus.NewInvalidMetric(desc, err)
	}
	s.out <- metric
}

func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
