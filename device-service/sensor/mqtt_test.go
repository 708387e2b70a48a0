// SPDX-License-Identifier: Apache-2.0

package sensor

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/device-service/source"
)

// broker is a broker that lets user in with pass.
func broker(t *testing.T, address string) (server *mochi.Server, stop func(), where string) {
	t.Helper()
	server = mochi.New(&mochi.Options{InlineClient: true, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	require.NoError(t, server.AddHook(new(auth.Hook), &auth.Options{Ledger: &auth.Ledger{Auth: auth.AuthRules{
		{Username: "user", Password: "pass", Allow: true},
	}}}))
	listener, err := net.Listen("tcp", address)
	require.NoError(t, err)
	require.NoError(t, server.AddListener(listeners.NewNet("test", listener)))
	require.NoError(t, server.Serve())
	stop = sync.OnceFunc(func() { _ = server.Close() })
	t.Cleanup(stop)
	return server, stop, listener.Addr().String()
}

var environment = Environment{
	MaxBytes:  1000,
	CheckJPEG: func([]byte) *source.Rejection { return source.Reject(source.NotJPEG, "none") },
	Secret:    func(string) (string, string, error) { return "user", "pass", nil },
	ClientID:  func() string { return "test" },
}

func sensorAt(t *testing.T, address string, more map[string]any) source.Spec {
	t.Helper()
	properties := map[string]any{"Broker": "mqtt://" + address, "Topic": "plant/+/rms", "User": "user", "Password": "pass", "JSONPath": "v"}
	for key, value := range more {
		properties[key] = value
	}
	spec, err := NewMQTT(properties, Resource{Type: "Float64"}, environment)
	require.NoError(t, err)
	return spec
}

// publishUntil sends a message until the sensor gave a value: a subscription has no other
// sign of being there.
func publishUntil(t *testing.T, server *mochi.Server, payload string, samples <-chan source.Sample) source.Sample {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	timeout := time.After(patience)
	for {
		select {
		case s := <-samples:
			return s
		case <-tick.C:
			_ = server.Publish("plant/7/rms", []byte(payload), false, 0)
		case <-timeout:
			t.Fatal("no value")
		}
	}
}

func TestValuesComeOutOfMessages(t *testing.T) {
	server, _, address := broker(t, "127.0.0.1:0")
	s, samples, _ := watch(t, sensorAt(t, address, map[string]any{"SecretName": "x", "User": "", "Password": ""}))
	assert.Equal(t, 2.5, publishUntil(t, server, `{"v":2.5}`, samples).Value)

	require.NoError(t, server.Publish("plant/7/rms", []byte(`{"w":1}`), false, 0))
	require.NoError(t, server.Publish("plant/7/rms", make([]byte, 2000), false, 0))
	assert.Equal(t, 3.5, publishUntil(t, server, `{"v":3.5}`, drained(samples, 2.5)).Value)
	assert.EqualValues(t, 1, s.Status().Dropped[source.BadValue])
	assert.EqualValues(t, 1, s.Status().Dropped[source.TooLarge])
}

// drained leaves out values that were sent more than once.
func drained(samples <-chan source.Sample, old any) <-chan source.Sample {
	rest := make(chan source.Sample, 1000)
	go func() {
		for s := range samples {
			if s.Value != old {
				rest <- s
				return
			}
		}
	}()
	return rest
}

func TestABrokerThatGoesAndComesBack(t *testing.T) {
	server, stop, address := broker(t, "127.0.0.1:0")
	_, samples, states := watch(t, sensorAt(t, address, nil))
	publishUntil(t, server, `{"v":1}`, samples)
	stop()
	await(t, states, source.Down)
	server, _, _ = broker(t, address)
	assert.Equal(t, 2.0, publishUntil(t, server, `{"v":2}`, drained(samples, 1.0)).Value)
}

func await(t *testing.T, states <-chan source.Status, wanted source.State) source.Status {
	t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case s := <-states:
			if s.State == wanted {
				return s
			}
		case <-timeout:
			t.Fatalf("never %s", wanted)
		}
	}
}

func TestWhyASensorIsDown(t *testing.T) {
	_, _, address := broker(t, "127.0.0.1:0")
	mute, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	require.NoError(t, err)
	defer mute.Close()
	for name, test := range map[string]struct {
		spec source.Spec
		why  string
	}{
		"nobody there":   {sensorAt(t, "127.0.0.1:1", nil), "connect to mqtt://127.0.0.1:1"},
		"wrong password": {sensorAt(t, address, map[string]any{"Password": "x"}), "connect to mqtt://" + address},
		"silence":        {sensorAt(t, address, map[string]any{"Timeout": "50ms"}), "nothing came for 50ms"},
		"no TLS":         {sensorAt(t, address, map[string]any{"Broker": "mqtts://" + address}), "connect to mqtts://"},
		"a mute broker":  {sensorAt(t, mute.Addr().String(), map[string]any{"Timeout": "50ms"}), "nothing came for 50ms"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, states := watch(t, test.spec)
			assert.Contains(t, await(t, states, source.Down).Detail, test.why)
		})
	}
}

func TestARetainedMessageIsPassedOverUnlessAskedFor(t *testing.T) {
	server, _, address := broker(t, "127.0.0.1:0")
	require.NoError(t, server.Publish("plant/7/rms", []byte(`{"v":1}`), true, 0))
	s, samples, _ := watch(t, sensorAt(t, address, nil))
	assert.Equal(t, 2.0, publishUntil(t, server, `{"v":2}`, samples).Value)
	assert.EqualValues(t, 1, s.Status().Dropped[source.Retained])

	_, samples, _ = watch(t, sensorAt(t, address, map[string]any{"Retained": true}))
	select {
	case s := <-samples:
		assert.Equal(t, 1.0, s.Value)
	case <-time.After(patience):
		t.Fatal("no value")
	}
}

func TestAPacketThatIsAnnouncedTooLargeEndsTheConnection(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 1000))
			_, _ = conn.Write([]byte{0x20, 2, 0, 0}) // CONNACK
			_, _ = conn.Read(make([]byte, 1000))
			_, _ = conn.Write([]byte{0x90, 3, 0, 1, 0})                // SUBACK
			_, _ = conn.Write([]byte{0x30, 0xFF, 0xFF, 0xFF, 0x7F, 0}) // PUBLISH of 256 MB
		}
	}()
	_, _, states := watch(t, sensorAt(t, listener.Addr().String(), nil))
	assert.Contains(t, await(t, states, source.Down).Detail, "allowed are 132072")
}

func TestWhatIsWrongWithAnMQTTSensor(t *testing.T) {
	for _, test := range []struct {
		properties map[string]any
		want       string
	}{
		{nil, "mqtt.Broker: is missing"},
		{nil, "mqtt.Topic: is missing"},
		{map[string]any{"Broker": "http://x"}, `mqtt.Broker: "http://x": allowed is mqtt:// or tcp://`},
		{map[string]any{"QoS": 3}, `mqtt.QoS: "3": allowed is a whole number from 0 to 2`},
		{map[string]any{"Format": "xml"}, `mqtt.Format: "xml": allowed are json, raw`},
		{map[string]any{"JSONPath": "a..b"}, "mqtt.JSONPath"},
		{map[string]any{"Format": "raw", "JSONPath": "a"}, "mqtt.JSONPath: is for Format json alone"},
		{map[string]any{"User": "a", "SecretName": "b"}, "allowed is one of the two ways"},
		{map[string]any{"MessageRate": 500}, "mqtt.MessageRate"},
		{map[string]any{"Topc": "a"}, "mqtt.Topc is not known"},
	} {
		_, err := NewMQTT(test.properties, Resource{Type: "Float64"}, environment)
		assert.ErrorContains(t, err, test.want, fmt.Sprint(test.properties))
	}
}
