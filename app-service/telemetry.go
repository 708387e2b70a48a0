// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/edgexfoundry/app-functions-sdk-go/v3/pkg/interfaces"
	"github.com/rcrowley/go-metrics"

	"edgex-offload/runner"
)

// reportTelemetry registers gauges for EdgeX's own metrics on the bus. Each is published
// when it is named in Writable.Telemetry.Metrics. Quantiles are left to Prometheus:
// EdgeX's timers have none.
func reportTelemetry(service interfaces.ApplicationService, status func() runner.Status) {
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
		if err := service.MetricsManager().Register(name, metrics.NewFunctionalGauge(read), nil); err != nil {
			service.LoggingClient().Warnf("Metric %s is not reported: %s", name, err.Error())
		}
	}
}
