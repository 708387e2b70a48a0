// SPDX-License-Identifier: Apache-2.0

package broker_test

import (
	"fmt"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"edgex-offload/standalone/broker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func connect(t *testing.T, b *broker.Broker, id string) paho.Client {
	t.Helper()
	options := paho.NewClientOptions().AddBroker(fmt.Sprintf("tcp://127.0.0.1:%d", b.Port())).SetClientID(id)
	client := paho.NewClient(options)
	token := client.Connect()
	require.True(t, token.WaitTimeout(10*time.Second))
	require.NoError(t, token.Error())
	t.Cleanup(func() { client.Disconnect(0) })
	return client
}

func TestClientsAndTheProcessItselfHearEachOther(t *testing.T) {
	b, err := broker.Start(0)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, b.Close()) })

	client := connect(t, b, "c")
	toClient := make(chan string, 1)
	token := client.Subscribe("down/#", 1, func(_ paho.Client, m paho.Message) { toClient <- m.Topic() + " " + string(m.Payload()) })
	require.True(t, token.WaitTimeout(10*time.Second))
	require.NoError(t, token.Error())
	require.NoError(t, b.Publish("down/a/b", []byte("1")))
	assert.Equal(t, "down/a/b 1", receive(t, toClient))

	toProcess := make(chan string, 2)
	cancel, err := b.Subscribe("up/+/x", func(topic string, payload []byte) { toProcess <- topic + " " + string(payload) })
	require.NoError(t, err)
	client.Publish("up/a/y", 1, false, "other").WaitTimeout(10 * time.Second)
	client.Publish("up/a/x", 1, false, "2").WaitTimeout(10 * time.Second)
	assert.Equal(t, "up/a/x 2", receive(t, toProcess))

	cancel()
	client.Publish("up/a/x", 1, false, "3").WaitTimeout(10 * time.Second)
	assert.Empty(t, toProcess, "a cancelled subscription hears nothing")
}

func TestALargeFramePasses(t *testing.T) {
	b, err := broker.Start(0)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, b.Close()) })
	sizes := make(chan int, 1)
	_, err = b.Subscribe("#", func(_ string, payload []byte) { sizes <- len(payload) })
	require.NoError(t, err)
	connect(t, b, "c").Publish("frame", 0, false, make([]byte, 4<<20))
	assert.Equal(t, 4<<20, receive(t, sizes))
}

func TestAPortThatIsTakenIsNamed(t *testing.T) {
	b, err := broker.Start(0)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, b.Close()) })
	_, err = broker.Start(b.Port())
	require.ErrorContains(t, err, fmt.Sprint(b.Port()))
}

func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(20 * time.Second):
		t.Fatal("nothing arrived")
		panic("unreachable")
	}
}
