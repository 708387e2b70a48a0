// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"sync"
	"time"

	bootstrap "github.com/edgexfoundry/go-mod-bootstrap/v3/bootstrap/interfaces"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/clients/logger"
	"github.com/rcrowley/go-metrics"

	"edgex-offload/app-service/routes"
	"edgex-offload/offload"
	"edgex-offload/offload/trial"
	"edgex-offload/runner"
)

// telemetry registers gauges for EdgeX's own metrics on the bus. Each is published when
// it is named in Writable.Telemetry.Metrics. Distributions are left to Prometheus: EdgeX's
// timers have no quantiles.
//
// EdgeX publishes a metric under the configured name that its own name starts with, the
// first one found in no order. So no name may start with another, as a "LinkUp" beside
// "LinkUpKbps" would.
type telemetry struct {
	manager bootstrap.MetricsManager
	lc      logger.LoggingClient
}

func (t telemetry) register(name string, gauge any, tags map[string]string) {
	if err := t.manager.Register(name, gauge, tags); err != nil {
		t.lc.Warnf("Metric %s is not reported: %s", name, err.Error())
	}
}

func (t telemetry) tasks(status func() runner.Status) {
	sum := func(of map[string]uint64) (n int64) {
		for _, each := range of {
			n += int64(each)
		}
		return n
	}
	for name, read := range map[string]func() int64{
		"OffloadTasksArrived":  func() int64 { return int64(status().Tasks.Arrived) },
		"OffloadTasksAnswered": func() int64 { return sum(status().Tasks.Routes) },
		"OffloadTasksDropped":  func() int64 { return sum(status().Tasks.Dropped) },
		"OffloadTasksOnTime":   func() int64 { return int64(status().Tasks.OnTime) },
		"OffloadTasksUnderWay": func() int64 { return int64(status().Tasks.UnderWay) },
	} {
		t.register(name, metrics.NewFunctionalGauge(read), nil)
	}
}

// policies registers what each policy came to, by its most serious role, with a tag that
// tells them apart.
func (t telemetry) policies(read routes.Compared) {
	of := func(policy string) (r trial.Row) {
		_, rows := read()
		for _, row := range rows { // what acts comes first, then the trial
			if row.Policy == policy {
				return row
			}
		}
		return r
	}
	for _, policy := range offload.Policies() {
		tags := map[string]string{"policy": policy}
		t.register("OffloadPolicyTasks-"+policy, metrics.NewFunctionalGauge(func() int64 { return int64(of(policy).Tasks) }), tags)
		t.register("OffloadPolicyMissed-"+policy, metrics.NewFunctionalGaugeFloat64(func() float64 { return of(policy).Missed.Value }), tags)
		t.register("OffloadPolicyP99Ms-"+policy, metrics.NewFunctionalGaugeFloat64(func() float64 {
			if v := of(policy).P99Ms.Value; !math.IsInf(v, 0) {
				return v
			}
			return 0 // JSON has no infinity
		}), tags)
	}
}

// links registers each figure for each target, as the SDK does for its pipelines: with a
// name of its own, published under the part that is configured, and a tag that tells
// them apart.
func (t telemetry) links(targets []string, view *linkView) {
	for _, target := range targets {
		tags := map[string]string{"target": target}
		for name, of := range linkMeasures() {
			t.register(name+"-"+target, metrics.NewFunctionalGaugeFloat64(func() float64 { return of(view.of(target)) }), tags)
		}
		for name, of := range linkCounts() {
			t.register(name+"-"+target, metrics.NewFunctionalGauge(func() int64 { return of(view.of(target)) }), tags)
		}
	}
}

// linkMeasures are in the unit of the name, LinkLoss from 0 to 1; 0 is unknown.
func linkMeasures() map[string]func(runner.LinkStatus) float64 {
	return map[string]func(runner.LinkStatus) float64{
		"LinkRttMs":     func(l runner.LinkStatus) float64 { return l.RTTMs },
		"LinkMinRttMs":  func(l runner.LinkStatus) float64 { return l.MinRTTMs },
		"LinkJitterMs":  func(l runner.LinkStatus) float64 { return l.JitterMs.StdDev },
		"LinkLoss":      func(l runner.LinkStatus) float64 { return l.Loss },
		"LinkUpKbps":    func(l runner.LinkStatus) float64 { return l.UpKbps },
		"LinkDownKbps":  func(l runner.LinkStatus) float64 { return l.DownKbps },
		"LinkQueueMs":   func(l runner.LinkStatus) float64 { return l.QueueUpMs },
		"LinkStalledMs": func(l runner.LinkStatus) float64 { return l.StalledForMs },
		"LinkPredictedMs": func(l runner.LinkStatus) float64 {
			if l.RTTAgeMs < 0 {
				return 0 // a guess
			}
			return l.P95Ms60KB
		},
	}
}

// linkCounts count since the start, but for LinkUsable, which is 1 or 0.
func linkCounts() map[string]func(runner.LinkStatus) int64 {
	return map[string]func(runner.LinkStatus) int64{
		"LinkUsable": func(l runner.LinkStatus) int64 {
			if l.Up {
				return 1
			}
			return 0
		},
		"LinkProbeBytes": func(l runner.LinkStatus) int64 { return int64(l.ProbeBytes) },
		"LinkProbesLost": func(l runner.LinkStatus) int64 { return int64(l.ProbesLost) },
		"LinkReconnects": func(l runner.LinkStatus) int64 { return int64(l.Reconnects) },
		"LinkRejected": func(l runner.LinkStatus) (n int64) {
			for _, each := range l.Rejected {
				n += int64(each)
			}
			return n
		},
	}
}

// linkView reads the links once for all the gauges of one report, which are asked one by
// one: the figures then fit each other. It may be shared.
type linkView struct {
	read func(history bool) []runner.LinkStatus
	now  func() time.Time

	mu    sync.Mutex
	taken time.Time
	links map[string]runner.LinkStatus
}

// oneReport is how old a figure may be within a report.
const oneReport = 50 * time.Millisecond

func (v *linkView) of(target string) runner.LinkStatus {
	v.mu.Lock()
	defer v.mu.Unlock()
	if now := v.now(); v.links == nil || now.Sub(v.taken) >= oneReport {
		v.taken, v.links = now, map[string]runner.LinkStatus{}
		for _, link := range v.read(false) {
			v.links[link.Target] = link
		}
	}
	return v.links[target]
}
