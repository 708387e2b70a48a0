// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	bootstrap "github.com/edgexfoundry/go-mod-bootstrap/v3/bootstrap/interfaces"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/clients/logger"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos"
	"github.com/edgexfoundry/go-mod-messaging/v3/pkg/types"
	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/rcrowley/go-metrics"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"edgex-offload/offload/trial"
	"edgex-offload/runner"
)

// registered is a metrics manager that keeps what it is told.
type registered struct {
	bootstrap.MetricsManager
	gauges map[string]any
	tags   map[string]map[string]string
}

func (r registered) Register(name string, item any, tags map[string]string) error {
	r.gauges[name], r.tags[name] = item, tags
	return nil
}

func register(targets []string, links func(bool) []runner.LinkStatus) registered {
	r := registered{gauges: map[string]any{}, tags: map[string]map[string]string{}}
	t := telemetry{r, logger.NewMockClient()}
	t.tasks(func() runner.Status { return runner.Status{} })
	t.policies(comparedPolicies)
	t.links(targets, &linkView{read: links, now: time.Now})
	return r
}

// comparedPolicies are one that acts and is a shadow of another's as well, and one without a
// 99% quantile.
func comparedPolicies() (time.Time, []trial.Row) {
	return time.Time{}, []trial.Row{
		{Policy: "cost", Role: trial.Acting, Tasks: 5, Missed: trial.Interval{Value: .2}, P99Ms: trial.Interval{Value: 80}},
		{Policy: "local", Role: trial.Trial, Tasks: 2, Missed: trial.Interval{Value: 1}, P99Ms: trial.Interval{Value: math.Inf(1)}},
		{Policy: "cost", Role: trial.Shadow, Tasks: 7, Missed: trial.Interval{Value: .9}},
	}
}

func TestEachPolicyHasItsMetrics(t *testing.T) {
	r := register(nil, nil)
	for name, want := range map[string]float64{
		"OffloadPolicyMissed-cost": .2, "OffloadPolicyP99Ms-cost": 80, "OffloadPolicyMissed-local": 1, "OffloadPolicyP99Ms-local": 0,
		"OffloadPolicyMissed-quantile": 0,
	} {
		require.InDelta(t, want, r.gauges[name].(metrics.GaugeFloat64).Snapshot().Value(), 1e-9, name)
		_, policy, _ := strings.Cut(name, "-")
		require.Equal(t, map[string]string{"policy": policy}, r.tags[name])
	}
	require.EqualValues(t, 5, r.gauges["OffloadPolicyTasks-cost"].(metrics.Gauge).Snapshot().Value())
	require.EqualValues(t, 0, r.gauges["OffloadPolicyTasks-quantile"].(metrics.Gauge).Snapshot().Value())
}

// configuredMetrics are the keys of Writable.Telemetry.Metrics in a file, below a path.
func configuredMetrics(t *testing.T, file string, path ...string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var node any
	require.NoError(t, yaml.Unmarshal(text, &node))
	for _, key := range append(path, "Writable", "Telemetry", "Metrics") {
		node = node.(map[string]any)[key]
		require.NotNil(t, node, key)
	}
	return slices.Sorted(maps.Keys(node.(map[string]any)))
}

// EdgeX publishes nothing that is not named in the file, and takes the first name that
// is the beginning of a metric's.
func TestShippedConfigurationNamesEachMetric(t *testing.T) {
	names := map[string]bool{}
	for name := range register([]string{"cloud", "peer"}, nil).gauges {
		base, _, _ := strings.Cut(name, "-")
		names[base] = true
	}
	shipped := configuredMetrics(t, "../res/app-service/configuration.yaml")
	require.Equal(t, slices.Sorted(maps.Keys(names)), shipped)

	all := slices.Concat(shipped, configuredMetrics(t, "../res/common/configuration.yaml", "all-services"),
		configuredMetrics(t, "../res/common/configuration.yaml", "app-services"))
	for i, a := range all {
		for j, b := range all {
			require.False(t, i != j && strings.HasPrefix(a, b), "%s starts with %s", a, b)
		}
	}
}

func TestEachTargetHasItsOwnLinkMetrics(t *testing.T) {
	r := register([]string{"cloud", "peer", "gone"}, func(history bool) []runner.LinkStatus {
		require.False(t, history, "is not published")
		return []runner.LinkStatus{
			{
				Target: "cloud", Up: true, RTTMs: 20.5, MinRTTMs: 18, JitterMs: runner.JitterMs{StdDev: 3, MAD: 99}, Loss: .25,
				UpKbps: 8000, DownKbps: 9000, QueueUpMs: 4, StalledForMs: 5, P95Ms60KB: 60, ProbeBytes: 1 << 40, ProbesLost: 7,
				Reconnects: 2, Rejected: map[string]uint64{"clock_step": 1, "absurd_timestamp": 2},
			},
			{Target: "peer", RTTMs: 1.5},
		}
	})
	value := func(name string) any {
		switch gauge := r.gauges[name].(type) {
		case metrics.GaugeFloat64:
			return gauge.Snapshot().Value()
		case metrics.Gauge:
			return gauge.Snapshot().Value()
		}
		return nil
	}
	for name, want := range map[string]any{
		"LinkUsable-cloud": int64(1), "LinkRttMs-cloud": 20.5, "LinkMinRttMs-cloud": 18., "LinkJitterMs-cloud": 3., "LinkLoss-cloud": .25,
		"LinkUpKbps-cloud": 8000., "LinkDownKbps-cloud": 9000., "LinkQueueMs-cloud": 4., "LinkStalledMs-cloud": 5., "LinkPredictedMs-cloud": 60.,
		"LinkProbeBytes-cloud": int64(1 << 40), "LinkProbesLost-cloud": int64(7), "LinkReconnects-cloud": int64(2), "LinkRejected-cloud": int64(3),
		"LinkUsable-peer": int64(0), "LinkRttMs-peer": 1.5, "LinkRttMs-gone": 0.,
	} {
		require.Equal(t, want, value(name), name)
		_, target, _ := strings.Cut(name, "-")
		require.Equal(t, map[string]string{"target": target}, r.tags[name])
	}
}

// All gauges of one report see the links as they were at one moment; the next report
// sees them anew.
func TestOneReportReadsTheLinksOnce(t *testing.T) {
	now, reads := time.Unix(0, 0), 0
	view := linkView{now: func() time.Time { return now }, read: func(bool) []runner.LinkStatus {
		reads++
		return []runner.LinkStatus{{Target: "cloud", Probes: uint64(reads)}}
	}}
	require.EqualValues(t, 1, view.of("cloud").Probes)
	require.Zero(t, view.of("peer").Probes, "is not there")
	now = now.Add(oneReport - 1)
	require.EqualValues(t, 1, view.of("cloud").Probes)
	now = now.Add(1)
	require.EqualValues(t, 2, view.of("cloud").Probes)
}

// On the bus the metrics of several targets have one name, one topic, and a tag each.
func TestLinkTelemetryOnTheBus(t *testing.T) {
	text, err := os.ReadFile("../res/app-service/configuration.yaml")
	require.NoError(t, err)
	folder := t.TempDir()
	text = bytes.Replace(text, []byte("  Targets:\n"), []byte("  Targets:\n    peer: {Address: 'localhost:1'}\n"), 1)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "configuration.yaml"), text, 0o600))
	broker, port := startBroker(t)
	said := make(chan dtos.Metric, 64)
	require.NoError(t, broker.Subscribe("edgex/telemetry/app-offload/#", 3, func(_ *mqtt.Client, _ packets.Subscription, p packets.Packet) {
		var envelope types.MessageEnvelope
		var metric dtos.Metric
		if json.Unmarshal(p.Payload, &envelope) != nil || json.Unmarshal(envelope.Payload, &metric) != nil ||
			p.TopicName != "edgex/telemetry/app-offload/"+metric.Name {
			return
		}
		select {
		case said <- metric:
		default: // enough is there
		}
	}))
	s := start(t, broker, "", fromFiles(folder), []string{
		"MESSAGEBUS_PORT=" + strconv.Itoa(port), "OFFLOAD_TARGETS_CLOUD_ADDRESS=" + startCloud(t, "scratch"),
		"WRITABLE_TELEMETRY_INTERVAL=100ms", "WRITABLE_TELEMETRY_METRICS_LINKMINRTTMS=true",
	})
	missing := map[string]string{ // by metric and target: its field
		"LinkUsable cloud": "gauge-value", "LinkUsable peer": "gauge-value", "LinkRttMs cloud": "gaugeFloat64-value",
		"LinkRttMs peer": "gaugeFloat64-value", "LinkLoss peer": "gaugeFloat64-value", "LinkMinRttMs cloud": "gaugeFloat64-value",
	}
	deadline := time.After(patience)
	for len(missing) > 0 {
		select {
		case metric := <-said:
			require.NotEqual(t, "LinkDownKbps", metric.Name, "is switched off")
			for _, tag := range metric.Tags {
				if key := metric.Name + " " + tag.Value; tag.Name == "target" && missing[key] == metric.Fields[0].Name {
					delete(missing, key)
				}
			}
		case <-deadline:
			require.Empty(t, missing, "not published")
		}
	}
	require.NoError(t, s.stop())
}
