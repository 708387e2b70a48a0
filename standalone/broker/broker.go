// SPDX-License-Identifier: Apache-2.0

package broker

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"sync/atomic"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

const (
	// maxPacketBytes bounds one message. A frame of 16 MiB takes 1.334 times that on
	// the bus, because EdgeX wraps it in base64.
	maxPacketBytes = 32 << 20
	// maxPendingWrites bounds the messages that wait for one client.
	maxPendingWrites = 1024
)

// Broker is a running MQTT broker.
type Broker struct {
	server *mqtt.Server
	addr   *net.TCPAddr
	subs   atomic.Int64
}

// Start listens on a port of the loopback interface, 0 for a free one.
func Start(port int) (*Broker, error) {
	capabilities := mqtt.NewDefaultServerCapabilities()
	capabilities.MaximumPacketSize = maxPacketBytes
	capabilities.MaximumClientWritesPending = maxPendingWrites
	server := mqtt.New(&mqtt.Options{
		Capabilities: capabilities,
		InlineClient: true,
		Logger:       slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err := server.AddHook(new(auth.AllowHook), nil); err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	if err := server.AddListener(listeners.NewNet("loopback", listener)); err != nil {
		return nil, errors.Join(fmt.Errorf("broker: %w", err), listener.Close())
	}
	if err := server.Serve(); err != nil {
		return nil, errors.Join(fmt.Errorf("broker: %w", err), server.Close())
	}
	return &Broker{server: server, addr: listener.Addr().(*net.TCPAddr)}, nil
}

// Port is the TCP port it listens on.
func (b *Broker) Port() int { return b.addr.Port }

// Publish sends a message to all who subscribed to its topic.
func (b *Broker) Publish(topic string, payload []byte) error {
	if err := b.server.Publish(topic, payload, false, 0); err != nil {
		return fmt.Errorf("publish to %s: %w", topic, err)
	}
	return nil
}

// Subscribe calls handle for each message on a topic that matches the filter ("+" for
// one level, "#" for the rest) until cancel is called. It must not block, and must not
// keep the payload.
func (b *Broker) Subscribe(filter string, handle func(topic string, payload []byte)) (cancel func(), err error) {
	id := int(b.subs.Add(1))
	err = b.server.Subscribe(filter, id, func(_ *mqtt.Client, _ packets.Subscription, pk packets.Packet) {
		handle(pk.TopicName, pk.Payload)
	})
	if err != nil {
		return nil, fmt.Errorf("subscribe to %s: %w", filter, err)
	}
	return func() { _ = b.server.Unsubscribe(filter, id) }, nil
}

// Dropped counts the messages that a slow client did not get.
func (b *Broker) Dropped() int64 { return atomic.LoadInt64(&b.server.Info.MessagesDropped) }

// Close disconnects all clients and frees the port.
func (b *Broker) Close() error { return b.server.Close() }
