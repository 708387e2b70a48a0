// SPDX-License-Identifier: Apache-2.0

package tun

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
)

// ErrClosed is returned for a namespace whose Network was closed.
var ErrClosed = errors.New("the link is closed")

// Address is its IPv4 address on the link.
func (n *Namespace) Address() string { return n.address }

// Dial connects out of the namespace, to an IP address and port: names mean nothing
// there. Networks are those of net.Dial for TCP and UDP; IPv4 alone.
func (n *Namespace) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	network, address, err := n.resolve(network, address)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", address, err)
	}
	dialer := net.Dialer{Control: n.control}
	dialer.SetMultipathTCP(false)
	var conn net.Conn
	err = n.Do(func() error {
		conn, err = dialer.DialContext(ctx, network, address)
		return err
	})
	if err != nil {
		return nil, err // it says which address
	}
	return conn, nil
}

// Listen accepts TCP connections in the namespace. An empty host is the namespace's
// address, port 0 a free one.
func (n *Namespace) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	network, address, err := n.resolve(network, address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	config := net.ListenConfig{Control: n.control}
	config.SetMultipathTCP(false)
	var listener net.Listener
	err = n.Do(func() error {
		listener, err = config.Listen(ctx, network, address)
		return err
	})
	if err != nil {
		return nil, err
	}
	return listener, nil
}

// ListenPacket receives datagrams in the namespace: "udp", or "ip4:icmp" for raw ICMP,
// which has no port. An empty host is the namespace's address.
func (n *Namespace) ListenPacket(ctx context.Context, network, address string) (net.PacketConn, error) {
	network, address, err := n.resolve(network, address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	var conn net.PacketConn
	err = n.Do(func() error {
		conn, err = new(net.ListenConfig).ListenPacket(ctx, network, address)
		return err
	})
	if err != nil {
		return nil, err
	}
	return conn, nil
}

// resolve makes sure that the address is one: the resolver would look it up in
// goroutines of its own, outside of the namespace.
func (n *Namespace) resolve(network, address string) (string, string, error) {
	if network == "tcp" || network == "udp" {
		network += "4"
	}
	if strings.HasPrefix(network, "ip4:") {
		if address == "" {
			address = n.address
		}
		_, err := netip.ParseAddr(address)
		return network, address, err
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return network, address, err
	}
	if host == "" {
		host = n.address
	}
	if ip, err := netip.ParseAddr(host); err != nil || !ip.Is4() {
		return network, address, fmt.Errorf("host: %q: allowed is an IPv4 address", host)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return network, address, fmt.Errorf("port: %q: allowed is 0 to 65535", port)
	}
	return network, net.JoinHostPort(host, port), nil
}

// control sets the congestion control of a TCP socket.
func (n *Namespace) control(network, _ string, socket syscall.RawConn) error {
	if n.congestion == "" || !strings.HasPrefix(network, "tcp") {
		return nil
	}
	var err error
	return errors.Join(socket.Control(func(fd uintptr) { err = setCongestion(fd, n.congestion) }), err)
}
