// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"context"
	"net"
	"time"

	"edgex-offload/standalone/emulator"
	"edgex-offload/standalone/emulator/tun"
)

// Link is an emulated link between the box and the cloud.
type Link interface {
	// Listen listens at the cloud's end, and gives the address under which the box reaches it.
	Listen(ctx context.Context) (listener net.Listener, address string, err error)
	// Dial connects from the box's end.
	Dial(ctx context.Context, network, address string) (net.Conn, error)
	// Elapsed is the link's time: since its first slot began.
	Elapsed() time.Duration
	// UpBytes came from the box so far: with OverIP of all IP packets, with OverTCP of the
	// streams, without headers.
	UpBytes() uint64
	Close() error
}

// OverIP is a link of IP packets between two network namespaces. The Link closes it.
func OverIP(network *tun.Network) Link { return packets{network} }

type packets struct{ *tun.Network }

func (p packets) Listen(ctx context.Context) (net.Listener, string, error) {
	listener, err := p.Server().Listen(ctx, "tcp", ":0")
	if err != nil {
		return nil, "", err
	}
	return listener, listener.Addr().String(), nil
}

func (p packets) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return p.Client().Dial(ctx, network, address)
}

func (p packets) UpBytes() uint64 { return p.Counters()[emulator.Up].CameBytes }

// OverTCP is a link of TCP streams through a proxy on the loopback interface. It needs no
// rights. The kernel's TCP ends at the proxy, so that its congestion control and what it
// sends again are the emulator's model of them. Its time begins with Listen, which may be
// called once.
func OverTCP(source emulator.Source, seed int64) Link {
	return &streams{options: emulator.Options{Source: source, Seed: seed}}
}

type streams struct {
	options emulator.Options
	proxy   *emulator.Proxy
	began   time.Time
}

func (s *streams) Listen(ctx context.Context) (net.Listener, string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	s.options.Server = listener.Addr().String()
	s.began = time.Now()
	if s.proxy, err = emulator.Listen(s.options); err != nil {
		_ = listener.Close()
		return nil, "", err
	}
	return listener, s.proxy.Addr(), nil
}

func (s *streams) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, address)
}

func (s *streams) Elapsed() time.Duration { return time.Since(s.began) }

func (s *streams) UpBytes() uint64 { return uint64(s.proxy.Counters().UpBytes) }

func (s *streams) Close() error {
	if s.proxy == nil {
		return nil
	}
	return s.proxy.Close()
}
