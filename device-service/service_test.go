// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image/jpeg"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos/requests"
	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/standalone/broker"
	"edgex-offload/standalone/metadata"
)

// patience bounds what is waited for; nothing is taken from how long it took.
const patience = 30 * time.Second

// message is one on the bus.
type message struct {
	topic   string
	payload []byte
}

// event is the event that a message carries.
func (m message) event(t *testing.T) dtos.Event {
	t.Helper()
	var envelope struct {
		Payload     []byte `json:"payload"`
		ContentType string `json:"contentType"`
	}
	require.NoError(t, json.Unmarshal(m.payload, &envelope), "%s", m.topic)
	var request requests.AddEventRequest
	if envelope.ContentType == "application/cbor" {
		require.NoError(t, cbor.Unmarshal(envelope.Payload, &request))
	} else {
		require.NoError(t, json.Unmarshal(envelope.Payload, &request))
	}
	return request.Event
}

// bench is the real binary between a broker and a core-metadata.
type bench struct {
	t        *testing.T
	bus      *broker.Broker
	metadata string
	service  string
	events   chan message
}

func newBench(t *testing.T) *bench {
	t.Helper()
	bus, err := broker.Start(0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = bus.Close() })
	b := &bench{t: t, bus: bus, events: make(chan message, 10_000)}
	cancel, err := bus.Subscribe("edgex/events/device/device-sensor-camera/#", func(topic string, payload []byte) {
		select {
		case b.events <- message{topic, bytes.Clone(payload)}:
		default:
		}
	})
	require.NoError(t, err)
	t.Cleanup(cancel)
	core, err := metadata.Start(metadata.Options{Bus: bus, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	require.NoError(t, err)
	t.Cleanup(func() { _ = core.Close() })
	b.metadata = "http://localhost:" + strconv.Itoa(core.Port())
	b.start(bus.Port(), core.Port())
	return b
}

// start builds the service and runs it until the test ends, which it must do well.
func (b *bench) start(busPort, corePort int) {
	b.t.Helper()
	binary := filepath.Join(b.t.TempDir(), "device-service")
	build := exec.Command("go", "build", "-o", binary, ".")
	output, err := build.CombinedOutput()
	require.NoError(b.t, err, "%s", output)

	port := freePort(b.t)
	b.service = "http://localhost:" + strconv.Itoa(port)
	log := &bytes.Buffer{}
	service := exec.Command(binary, "-cc=res/common/configuration.yaml", "-cd=res/device-service")
	service.Dir = ".."
	service.Stdout, service.Stderr = log, log
	service.Env = append(os.Environ(), "EDGEX_SECURITY_SECRET_STORE=false", "EDGEX_STARTUP_INTERVAL=1",
		"SERVICE_PORT="+strconv.Itoa(port), "MESSAGEBUS_PORT="+strconv.Itoa(busPort), "CLIENTS_CORE_METADATA_PORT="+strconv.Itoa(corePort),
		"DRIVER_RETRYMIN=50ms", "DRIVER_FAILURESTODOWN=2")
	require.NoError(b.t, service.Start())
	b.t.Cleanup(func() {
		assert.NoError(b.t, service.Process.Signal(syscall.SIGTERM))
		err := service.Wait()
		assert.NoError(b.t, err)
		assert.NotContains(b.t, log.String(), "panic")
		if b.t.Failed() {
			b.t.Logf("the service said:\n%s", log)
		}
	})
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// await returns the first event whose topic ends so and which is wanted.
func (b *bench) await(end string, wanted func(dtos.Event) bool) dtos.Event {
	b.t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case m := <-b.events:
			if !strings.HasSuffix(m.topic, end) {
				continue
			}
			if e := m.event(b.t); wanted(e) {
				return e
			}
		case <-timeout:
			b.t.Fatalf("no such event on …%s", end)
		}
	}
}

func any1(dtos.Event) bool { return true }

func (b *bench) request(method, url string, body any) (int, []byte) {
	b.t.Helper()
	content, err := json.Marshal(body)
	require.NoError(b.t, err)
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(content))
	require.NoError(b.t, err)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	require.NoError(b.t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(b.t, err)
	return response.StatusCode, answer
}

// addDevice returns what core-metadata says to a new device.
func (b *bench) addDevice(name, profile, protocol string, properties map[string]any) (int, string) {
	b.t.Helper()
	device := map[string]any{
		"name": name, "profileName": profile, "serviceName": "device-sensor-camera", "adminState": "UNLOCKED", "operatingState": "UP",
		"protocols": map[string]any{protocol: properties},
	}
	_, answer := b.request(http.MethodPost, b.metadata+"/api/v3/device", []any{map[string]any{"apiVersion": "v3", "device": device}})
	var answers []struct {
		StatusCode int    `json:"statusCode"`
		Message    string `json:"message"`
	}
	require.NoError(b.t, json.Unmarshal(answer, &answers), "%s", answer)
	return answers[0].StatusCode, answers[0].Message
}

func (b *bench) operatingState(name string) string {
	_, answer := b.request(http.MethodGet, b.metadata+"/api/v3/device/name/"+name, nil)
	var response struct {
		Device struct {
			OperatingState string `json:"operatingState"`
		} `json:"device"`
	}
	require.NoError(b.t, json.Unmarshal(answer, &response))
	return response.Device.OperatingState
}

func (b *bench) eventually(what string, holds func() bool) {
	b.t.Helper()
	require.Eventually(b.t, holds, patience, 20*time.Millisecond, what)
}

func TestTheServiceOnABus(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the binary")
	}
	b := newBench(t)

	t.Run("frames of the conveyor come in order, with time, number and truth", func(t *testing.T) {
		var before uint64
		for range 5 {
			frame := b.await("/offload-camera/conveyor-1/Frame", any1)
			require.Len(t, frame.Readings, 1)
			assert.Equal(t, "image/jpeg", frame.Readings[0].MediaType)
			_, err := jpeg.Decode(bytes.NewReader(frame.Readings[0].BinaryValue))
			require.NoError(t, err)
			assert.NotEmpty(t, frame.Tags["truth"])
			assert.Equal(t, fmt.Sprint(frame.Readings[0].Origin), frame.Tags["captured"])
			seq, err := strconv.ParseUint(frame.Tags["seq"].(string), 10, 64)
			require.NoError(t, err)
			assert.Greater(t, seq, before)
			before = seq
		}
	})

	t.Run("windows of the machine are three axes of float32", func(t *testing.T) {
		window := b.await("/offload-vibration/machine-1/Window", any1)
		assert.Equal(t, "application/x-float32-le", window.Readings[0].MediaType)
		assert.Len(t, window.Readings[0].BinaryValue, 4*3*1024)
		assert.Equal(t, "3x1024", window.Tags["shape"])
	})

	t.Run("a command changes the rate, one out of range is refused with what is allowed", func(t *testing.T) {
		settings := b.service + "/api/v3/device/name/conveyor-1/Settings"
		code, answer := b.request(http.MethodPut, settings, map[string]string{"FrameRate": "20", "Enabled": "true"})
		require.Equal(t, http.StatusOK, code, "%s", answer)
		_, answer = b.request(http.MethodGet, settings, nil)
		assert.Contains(t, string(answer), "2.000000e+01")
		code, answer = b.request(http.MethodPut, settings, map[string]string{"FrameRate": "0", "Enabled": "true"})
		assert.NotEqual(t, http.StatusOK, code)
		assert.Contains(t, string(answer), "allowed are 0.001 to 240")
	})

	t.Run("the last frame can be read and looked at", func(t *testing.T) {
		code, answer := b.request(http.MethodGet, b.service+"/api/v3/sources/conveyor-1/frame", nil)
		require.Equal(t, http.StatusOK, code)
		_, err := jpeg.Decode(bytes.NewReader(answer))
		require.NoError(t, err)
		code, answer = b.request(http.MethodGet, b.service+"/api/v3/device/name/conveyor-1/Frame", nil)
		require.Equal(t, http.StatusOK, code)
		var response struct{ Event dtos.Event }
		require.NoError(t, cbor.Unmarshal(answer, &response))
		_, err = jpeg.Decode(bytes.NewReader(response.Event.Readings[0].BinaryValue))
		require.NoError(t, err)
	})

	t.Run("what cannot be is refused with the reason", func(t *testing.T) {
		code, reason := b.addDevice("cam.1", "offload-camera", "camera", map[string]any{"Kind": "conveyor"})
		assert.GreaterOrEqual(t, code, 400)
		assert.Contains(t, reason, "cam.1")
		code, reason = b.addDevice("cam-1", "offload-camera", "camera", map[string]any{"Kind": "folder", "Pth": "/x"})
		assert.GreaterOrEqual(t, code, 400)
		assert.Contains(t, reason, "camera.Pth is not known")
	})

	t.Run("a folder that is missing is DOWN, says why, and comes UP with the first photo", func(t *testing.T) {
		photos := filepath.Join(t.TempDir(), "photos")
		code, reason := b.addDevice("photos-1", "offload-camera", "camera", map[string]any{"Kind": "folder", "Path": photos})
		require.Equal(t, http.StatusCreated, code, reason)
		b.await("/photos-1/Status", func(e dtos.Event) bool { return strings.HasPrefix(e.Readings[0].Value, "down: ") })
		b.eventually("photos-1 is DOWN", func() bool { return b.operatingState("photos-1") == "DOWN" })

		_, frame := b.request(http.MethodGet, b.service+"/api/v3/sources/conveyor-1/frame", nil)
		require.NoError(t, os.Mkdir(photos, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(photos, "1.jpg"), frame, 0o644))
		first := b.await("/photos-1/Frame", any1)
		assert.Equal(t, frame, first.Readings[0].BinaryValue)
		b.eventually("photos-1 is UP", func() bool { return b.operatingState("photos-1") == "UP" })

		code, _ = b.request(http.MethodDelete, b.metadata+"/api/v3/device/name/photos-1", nil)
		require.Equal(t, http.StatusOK, code)
		b.eventually("photos-1 is gone", func() bool {
			_, answer := b.request(http.MethodGet, b.service+"/api/v3/sources", nil)
			return !strings.Contains(string(answer), "photos-1") && strings.Contains(string(answer), "conveyor-1")
		})
	})

	t.Run("a value out of an MQTT message", func(t *testing.T) {
		code, reason := b.addDevice("motor-1", "offload-mqtt-sensor", "mqtt", map[string]any{
			"Broker": fmt.Sprintf("mqtt://localhost:%d", b.bus.Port()), "Topic": "plant/motor-1", "JSONPath": "rms[1]",
		})
		require.Equal(t, http.StatusCreated, code, reason)
		b.eventually("a value comes", func() bool {
			require.NoError(t, b.bus.Publish("plant/motor-1", []byte(`{"rms":[1,2.5]}`)))
			select {
			case m := <-b.events:
				return strings.HasSuffix(m.topic, "/offload-mqtt-sensor/motor-1/Value") && m.event(t).Readings[0].Value == "2.500000e+00"
			default:
				return false
			}
		})
	})
}
