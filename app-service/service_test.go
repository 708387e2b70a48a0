// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"image/jpeg"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos"
	"github.com/stretchr/testify/require"

	"edgex-offload/app-service/routes"
	"edgex-offload/infer/ort/orttest"
	"edgex-offload/offload"
	"edgex-offload/synth/conveyor"
)

func frame(seq, truth string) dtos.Event {
	event := dtos.NewEvent("offload-camera", "camera-1", "Frame")
	event.AddBinaryReading("Frame", []byte{0xff, 0xd8, 0xff, 0xd9}, "image/jpeg")
	event.Readings[0].Tags = dtos.Tags{"seq": seq, "truth": truth}
	return event
}

// From a frame on the bus to the outcome on the bus, over the wire to a cloud, with
// nothing on the box: no models folder, no ONNX Runtime.
func TestFrameToOutcome(t *testing.T) {
	cloud := startCloud(t, "scratch")
	s := startSite(t, "", "OFFLOAD_TARGETS_CLOUD_ADDRESS="+cloud, "OFFLOAD_MODELS_FOLDER=/does/not/exist",
		"ONNXRUNTIME_LIB=/does/not/exist.so", "OFFLOAD_WRITABLE_TASKS_SURFACE_DEADLINE=15s",
		"WRITABLE_TELEMETRY_INTERVAL=100ms")
	outcomes := s.subscribe("edgex/events/device/app-offload/#")
	s.ready()
	s.until(routes.PathStatus, `"up":true`)
	s.until(routes.PathStatus, `"modelsProblem":"models folder: open /does/not/exist`)

	s.send(frame("7", "scratch"))
	got := receive(t, outcomes)
	require.NoError(t, got.err)
	require.Equal(t, "edgex/events/device/app-offload/offload-camera/camera-1/Outcome", got.topic)
	values := map[string]string{}
	for _, r := range got.event.Readings {
		values[r.ResourceName] = r.Value
	}
	require.Equal(t, "scratch", values["Label"])
	require.Equal(t, "cloud", values["Route"])
	require.Equal(t, "true", values["DeadlineMet"])
	require.Equal(t, dtos.Tags{"seq": "7", "truth": "scratch", "correct": "true"}, got.event.Tags)

	s.send(frame("8", "good"))
	require.Equal(t, "false", receive(t, outcomes).event.Tags["correct"])

	var decisions struct {
		Decisions []offload.Record `json:"decisions"`
	}
	require.NoError(t, json.Unmarshal([]byte(s.get(routes.PathDecisions+"?after=1")), &decisions))
	require.Len(t, decisions.Decisions, 1)
	require.Equal(t, uint64(2), decisions.Decisions[0].Seq)
	require.Equal(t, "surface-large/1", decisions.Decisions[0].AnsweredBy)
	require.Contains(t, s.get(routes.PathMetrics), `offload_tasks_total{reason="",route="cloud"} 2`)
	require.Contains(t, s.telemetry("OffloadTasksAnswered", `"value":2`), "gauge-value")
	s.until(routes.PathLink+"?target=cloud", `"target":"cloud","up":true`)
	s.until(routes.PathLinkSamples, `"target":"cloud","samples":[{"seq":1,`)
	s.until(routes.PathMetrics, `offload_link_rtt_seconds{target="cloud"} `)
	require.Contains(t, s.get("/api/v3/config"), `"QueueLimit":64`)
	require.NoError(t, s.stop())
	require.NotContains(t, s.log.String(), "level=ERROR")
}

func receive(t *testing.T, from <-chan received) received {
	t.Helper()
	select {
	case got := <-from:
		return got
	case <-time.After(patience):
		require.Fail(t, "no event came")
		return received{}
	}
}

// What is on the bus and no event ends in a counter, also where the SDK's own reader
// would take the process down.
func TestGarbageOnTheBus(t *testing.T) {
	s := startSite(t, "", "OFFLOAD_TARGETS_CLOUD_ADDRESS=")
	s.ready()
	empty := dtos.NewEvent("offload-vibration", "machine-1", "Window")
	require.NoError(t, empty.AddSimpleReading("Window", "Float32Array", []float32{1}))
	empty.Readings[0].Value = ""
	s.send(empty)
	other := dtos.NewEvent("offload-camera", "camera-1", "Settings")
	require.NoError(t, other.AddSimpleReading("FrameRate", "Float64", 10.0))
	s.send(other)
	require.NoError(t, s.broker.Publish("edgex/events/device/device-sensor-camera/a/b/c", []byte(`{"payload":"AAAA","contentType":"application/cbor"}`), false, 0))
	s.until(routes.PathMetrics, `offload_readings_passed_over_total{reason="malformed"} 2`)
	s.until(routes.PathMetrics, `offload_readings_passed_over_total{reason="unknown_resource"} 1`)
	require.NoError(t, s.stop())
}

func TestWrongConfigurationEndsTheStart(t *testing.T) {
	s := startSite(t, "", "OFFLOAD_WRITABLE_POLICY=best", "OFFLOAD_WORKERS=0")
	require.ErrorContains(t, s.wait(), "exit status 1")
	require.Contains(t, s.log.String(), `Offload.Writable.Policy \"best\": allowed is quantile, cost, linucb, dqn, threshold, local, cloud`)
	require.Contains(t, s.log.String(), `Offload.Workers 0: allowed is 1 to 64`)
}

// With no target at all, the box answers: the models load in the background, and the
// runner is told when they are ready.
func TestTheBoxAnswers(t *testing.T) {
	library := orttest.Library(t)
	if _, err := os.Stat("../models/surface-small"); err != nil {
		t.Skip("the shipped models are not there: ", err)
	}
	s := startSite(t, "", "OFFLOAD_TARGETS_CLOUD_ADDRESS=", "OFFLOAD_MODELS_FOLDER=../models", "ONNXRUNTIME_LIB="+library,
		"OFFLOAD_WRITABLE_TASKS_SURFACE_DEADLINE=15s", "OFFLOAD_POWER_CPU=supply/testdata/nano-jetpack4/cpu",
		"OFFLOAD_POWER_MODE=supply/testdata/nano-jetpack4/nvpmodel/status", "OFFLOAD_POWER_MODES=supply/testdata/nano-jetpack4/nvpmodel/nvpmodel.conf")
	outcomes := s.subscribe("edgex/events/device/app-offload/#")
	s.ready()
	s.until(routes.PathMetrics, `offload_model_state{serves="surface",state="ready",variant="surface-small/1"} 1`)

	picture, truth := conveyor.New(1, 320, 240).Next()
	var jpg bytes.Buffer
	require.NoError(t, jpeg.Encode(&jpg, picture, nil))
	event := frame("1", truth)
	event.Readings[0].BinaryValue = jpg.Bytes()
	s.send(event)
	got := receive(t, outcomes)
	require.NoError(t, got.err)
	values := map[string]string{}
	for _, r := range got.event.Readings {
		values[r.ResourceName] = r.Value
	}
	require.Equal(t, "local", values["Route"])
	require.Contains(t, s.get(routes.PathDecisions), `"speed":0.62`, "the limit of its clock is known")
	require.Contains(t, s.get(routes.PathStatus), `"machine":{"mode":"5W","cpu":{"name":"cpu","nowMHz":102,"limitMHz":918,"fullMHz":1479,"cores":2}`)
	require.Contains(t, s.log.String(), "the box's power mode is 5W")
	require.Contains(t, conveyor.Labels(), values["Label"])
	require.NoError(t, s.stop())
}

// TestTermWhileStartingEndsTheService guards against a service that hangs when it is told
// to stop before the SDK listens for signals: it may end with an error, but it ends.
func TestTermWhileStartingEndsTheService(t *testing.T) {
	for _, line := range []string{"Starting app-offload", "Connected to mqtt", "Service started in", "Web Server", "has started"} {
		s := startSite(t, "")
		require.Eventually(t, func() bool { return strings.Contains(s.log.String(), line) }, patience, time.Millisecond, line)
		_ = s.stop()
	}
}
