// SPDX-License-Identifier: Apache-2.0

package ping

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// target is a "host:port".
type target struct {
	address string
	dial    DialFunc
}

// connect is the time until a connection stands. It is reset at once, so that nothing is
// left of it on either side.
func (t *target) connect(ctx context.Context) (time.Duration, error) {
	start := time.Now()
	conn, err := t.dial(ctx, "tcp", t.address)
	took := time.Since(start)
	if err != nil {
		return 0, err
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
	return took, nil
}

// echo is an ICMP echo to the host and its answer.
func (t *target) echo(ctx context.Context) (time.Duration, error) {
	ip, err := t.resolve(ctx)
	if err != nil {
		return 0, err
	}
	conn, raw, err := listen(ip)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	rtt, err := exchange(conn, ip, raw)
	if ctx.Err() != nil {
		err = fmt.Errorf("no answer from %s: %w", ip, ctx.Err())
	}
	return rtt, err
}

func (t *target) resolve(ctx context.Context) (netip.Addr, error) {
	host, _, err := net.SplitHostPort(t.address)
	if err != nil {
		return netip.Addr{}, err
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.Addr{}, err
	}
	if len(ips) == 0 {
		return netip.Addr{}, errors.New("no address of " + host)
	}
	return ips[0].Unmap(), nil
}

// listen opens a raw socket, which takes a right, or else one that the kernel allows to
// the groups in net.ipv4.ping_group_range.
func listen(ip netip.Addr) (conn *icmp.PacketConn, raw bool, err error) {
	networks, any := [2]string{"ip4:icmp", "udp4"}, "0.0.0.0"
	if ip.Is6() {
		networks, any = [2]string{"ip6:ipv6-icmp", "udp6"}, "::"
	}
	conn, rawErr := icmp.ListenPacket(networks[0], any)
	if rawErr == nil {
		return conn, true, nil
	}
	conn, err = icmp.ListenPacket(networks[1], any)
	if err != nil {
		return nil, false, errors.Join(rawErr, err)
	}
	return conn, false, nil
}

// exchange sends one echo and waits for its answer until conn's deadline.
func exchange(conn net.PacketConn, ip netip.Addr, raw bool) (time.Duration, error) {
	request, packet, err := newRequest(ip)
	if err != nil {
		return 0, err
	}
	var to net.Addr = &net.UDPAddr{IP: ip.AsSlice(), Zone: ip.Zone()}
	if raw {
		to = &net.IPAddr{IP: ip.AsSlice(), Zone: ip.Zone()}
	}
	start := time.Now()
	if _, err := conn.WriteTo(packet, to); err != nil {
		return 0, err
	}
	buffer := make([]byte, 256) // an answer that is longer is not ours
	for {
		n, from, err := conn.ReadFrom(buffer)
		if err != nil {
			return 0, err
		}
		took := time.Since(start)
		if sender(from) == ip.WithZone("") && request.isAnsweredBy(buffer[:n], raw) {
			return took, nil
		}
	}
}

func sender(from net.Addr) netip.Addr {
	var ip netip.Addr
	switch from := from.(type) {
	case *net.IPAddr:
		ip, _ = netip.AddrFromSlice(from.IP)
	case *net.UDPAddr:
		ip, _ = netip.AddrFromSlice(from.IP)
	}
	return ip.Unmap()
}

// request is what an answer must agree with.
type request struct {
	protocol int // of IP: 1 or 58
	answer   icmp.Type
	echo     icmp.Echo
}

// tokenBytes are random in each request, so that nobody who does not see it can answer it.
const tokenBytes = 8

// newRequest makes a request of 64 bytes, as a Probe has, and its packet.
func newRequest(ip netip.Addr) (request, []byte, error) {
	data := make([]byte, 56)
	if _, err := rand.Read(data[:tokenBytes+4]); err != nil {
		return request{}, nil, err
	}
	r := request{protocol: 1, answer: ipv4.ICMPTypeEchoReply, echo: icmp.Echo{
		ID:   int(binary.BigEndian.Uint16(data[tokenBytes:])),
		Seq:  int(binary.BigEndian.Uint16(data[tokenBytes+2:])),
		Data: data,
	}}
	var kind icmp.Type = ipv4.ICMPTypeEcho
	if ip.Is6() {
		r.protocol, r.answer, kind = 58, ipv6.ICMPTypeEchoReply, ipv6.ICMPTypeEchoRequest
	}
	packet, err := (&icmp.Message{Type: kind, Body: &r.echo}).Marshal(nil)
	return r, packet, err
}

// isAnsweredBy tells whether a packet from outside is the answer. An unprivileged socket
// has an identifier of its own, by which the kernel has chosen the packet.
func (r request) isAnsweredBy(packet []byte, raw bool) bool {
	m, err := icmp.ParseMessage(r.protocol, packet)
	if err != nil || m.Type != r.answer {
		return false
	}
	echo, ok := m.Body.(*icmp.Echo)
	return ok && (!raw || echo.ID == r.echo.ID) && echo.Seq == r.echo.Seq && bytes.Equal(echo.Data, r.echo.Data)
}
