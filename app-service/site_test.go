// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos/requests"
	"github.com/edgexfoundry/go-mod-messaging/v3/pkg/types"
	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"edgex-offload/offload"
	"edgex-offload/remote"
)

// asService makes the test binary run as the service itself.
const asService = "APP_OFFLOAD_TEST_AS_SERVICE"

func TestMain(m *testing.M) {
	if os.Getenv(asService) != "" {
		os.Exit(run(os.Args[1:]))
	}
	goleak.VerifyTestMain(m)
}

// patience bounds every wait for another process. Nothing waits that long when it works.
const patience = 20 * time.Second

// startBroker is an MQTT broker on a free port of the loopback interface.
func startBroker(t testing.TB) (*mqtt.Server, int) {
	t.Helper()
	server := mqtt.New(&mqtt.Options{InlineClient: true, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, server.AddHook(new(auth.AllowHook), nil))
	listener := listen(t)
	require.NoError(t, server.AddListener(listeners.NewNet("loopback", listener)))
	require.NoError(t, server.Serve())
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	return server, port(listener)
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return listener
}

func port(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

func freePort(t testing.TB) int {
	t.Helper()
	listener := listen(t)
	defer listener.Close()
	return port(listener)
}

// answering is a cloud that says the same of everything.
type answering struct{ label string }

func (a answering) InferModel(_ context.Context, task offload.Task) (offload.Answer, error) {
	return offload.Answer{Label: a.label, Confidence: .75, Model: task.Model + "-large/1"}, nil
}

// startCloud returns its address.
func startCloud(t testing.TB, label string) string {
	t.Helper()
	return startCloudOf(t, answering{label})
}

func startCloudOf(t testing.TB, models remote.Models) string {
	t.Helper()
	server, err := remote.NewServer(remote.ServerConfig{Models: models, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	listener := listen(t)
	var served sync.WaitGroup
	served.Go(func() { _ = server.Serve(listener) })
	server.SetServing(true)
	t.Cleanup(func() {
		_ = server.Stop(context.Background())
		served.Wait()
	})
	return listener.Addr().String()
}

// site is a running service and what it needs.
type site struct {
	t      testing.TB
	broker *mqtt.Server
	url    string
	cmd    *exec.Cmd
	log    *safeBuffer
	ended  chan error
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// startSite starts program, this test binary when empty, from the shipped files and with
// these environment variables.
func startSite(t testing.TB, program string, environment ...string) *site {
	t.Helper()
	broker, port := startBroker(t)
	return start(t, broker, program, fromFiles("../res/app-service"), append(environment, "MESSAGEBUS_PORT="+strconv.Itoa(port)))
}

func fromFiles(folder string) []string {
	return []string{"-cc=../res/common/configuration.yaml", "-cd=" + folder, "-s"}
}

func start(t testing.TB, broker *mqtt.Server, program string, args, environment []string) *site {
	t.Helper()
	httpPort := freePort(t)
	s := &site{t: t, broker: broker, url: fmt.Sprintf("http://localhost:%d", httpPort), log: &safeBuffer{}, ended: make(chan error, 1)}
	if program == "" {
		program = os.Args[0]
	}
	s.cmd = exec.Command(program, args...)
	s.cmd.Env = append(os.Environ(), asService+"=1", "EDGEX_SECURITY_SECRET_STORE=false", "EDGEX_STARTUP_DURATION=5",
		"SERVICE_PORT="+strconv.Itoa(httpPort), "OFFLOAD_MODELS_FOLDER="+t.TempDir())
	s.cmd.Env = append(s.cmd.Env, environment...)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	require.NoError(t, s.cmd.Start())
	go func() { s.ended <- s.cmd.Wait() }()
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill() // if it still runs
		if t.Failed() {
			t.Log(s.log.String())
		}
	})
	return s
}

// ready waits until the service takes messages: it answers over HTTP a little earlier.
func (s *site) ready() {
	s.t.Helper()
	require.Eventually(s.t, func() bool { return strings.Contains(s.log.String(), "app-offload has started") }, patience, time.Millisecond)
}

// get asks a route until it answers, and returns what it says.
func (s *site) get(path string) string {
	s.t.Helper()
	client := http.Client{Timeout: patience}
	defer client.CloseIdleConnections()
	var body []byte
	require.Eventually(s.t, func() bool {
		response, err := client.Get(s.url + path)
		if err != nil {
			return false
		}
		defer response.Body.Close()
		body, err = io.ReadAll(response.Body)
		return err == nil && response.StatusCode == http.StatusOK
	}, patience, 5*time.Millisecond, path)
	return string(body)
}

// until asks a route until what it says contains a text.
func (s *site) until(path, text string) {
	s.t.Helper()
	require.Eventually(s.t, func() bool { return strings.Contains(s.get(path), text) }, patience, 20*time.Millisecond, "%s: %s", path, text)
}

// subscribe returns the events on a topic's branch as they come.
func (s *site) subscribe(filter string) <-chan received {
	s.t.Helper()
	events := make(chan received, 16)
	require.NoError(s.t, s.broker.Subscribe(filter, 1, func(_ *mqtt.Client, _ packets.Subscription, p packets.Packet) {
		var envelope types.MessageEnvelope
		var request requests.AddEventRequest
		err := json.Unmarshal(p.Payload, &envelope)
		if err == nil {
			err = json.Unmarshal(envelope.Payload, &request) // checks it, as core-data does
		}
		events <- received{p.TopicName, request.Event, err}
	}))
	return events
}

// telemetry waits for EdgeX's own metric on the bus to say something.
func (s *site) telemetry(metric, text string) string {
	s.t.Helper()
	said := make(chan string, 1)
	require.NoError(s.t, s.broker.Subscribe("edgex/telemetry/app-offload/"+metric, 2, func(_ *mqtt.Client, _ packets.Subscription, p packets.Packet) {
		var envelope types.MessageEnvelope
		if json.Unmarshal(p.Payload, &envelope) != nil || !strings.Contains(string(envelope.Payload), text) {
			return
		}
		select {
		case said <- string(envelope.Payload):
		default:
		}
	}))
	select {
	case payload := <-said:
		return payload
	case <-time.After(patience):
		require.Fail(s.t, "no "+metric+" with "+text)
		return ""
	}
}

type received struct {
	topic string
	event dtos.Event
	err   error
}

// send publishes an event as a device service does.
func (s *site) send(event dtos.Event) {
	s.t.Helper()
	request := requests.NewAddEventRequest(event)
	payload, contentType, err := request.Encode()
	require.NoError(s.t, err)
	envelope := types.MessageEnvelope{CorrelationID: event.Id, Payload: payload, ContentType: contentType}
	envelope.ApiVersion = "v3"
	message, err := json.Marshal(envelope)
	require.NoError(s.t, err)
	topic := strings.Join([]string{"edgex/events/device/device-sensor-camera", event.ProfileName, event.DeviceName, event.SourceName}, "/")
	require.NoError(s.t, s.broker.Publish(topic, message, false, 0))
}

// stop ends the service as its supervisor would, and returns how it ended.
func (s *site) stop() error {
	s.t.Helper()
	require.NoError(s.t, s.cmd.Process.Signal(syscall.SIGTERM))
	return s.wait()
}

func (s *site) wait() error {
	s.t.Helper()
	select {
	case err := <-s.ended:
		return err
	case <-time.After(patience):
		require.Fail(s.t, "the service did not end")
		return nil
	}
}
