// SPDX-License-Identifier: Apache-2.0

package ping

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errSilent = errors.New("silent")

// host is one that answers as a test says.
type host struct {
	icmp, tcp bool
	now       time.Time
	echoes    int
}

func (h *host) pinger() *Pinger {
	answer := func(works *bool, rtt time.Duration) func(context.Context) (time.Duration, error) {
		return func(context.Context) (time.Duration, error) {
			if *works {
				return rtt, nil
			}
			return 0, errSilent
		}
	}
	echo := answer(&h.icmp, 1)
	return &Pinger{
		echo:    func(ctx context.Context) (time.Duration, error) { h.echoes++; return echo(ctx) },
		connect: answer(&h.tcp, 2),
		now:     func() time.Time { return h.now },
	}
}

func TestItChoosesByItself(t *testing.T) {
	h := &host{now: time.Unix(1000, 0)}
	p := h.pinger()
	ping := func() (string, error) {
		_, method, err := p.Ping(t.Context())
		return method, err
	}
	requireMethod := func(want string) {
		t.Helper()
		method, err := ping()
		require.NoError(t, err)
		require.Equal(t, want, method)
	}

	_, err := ping()
	require.ErrorIs(t, err, errSilent, "nothing is there")

	h.tcp = true
	requireMethod(TCP)
	h.icmp = true
	echoes := h.echoes
	requireMethod(TCP)
	assert.Equal(t, echoes, h.echoes, "ICMP is not asked for each time")
	h.now = h.now.Add(recheck + 1)
	requireMethod(ICMP)

	h.icmp = false
	for range misses {
		method, err := ping()
		require.ErrorIs(t, err, errSilent, "a lost packet is not hidden")
		require.Equal(t, ICMP, method)
	}
	requireMethod(TCP)

	h.now = h.now.Add(recheck + 1)
	requireMethod(TCP)
	echoes = h.echoes
	requireMethod(TCP)
	assert.Equal(t, echoes, h.echoes, "for another minute")
	h.tcp = false
	_, err = ping()
	require.ErrorIs(t, err, errSilent)
}

func TestLossesThatAreNotInARowAreNoReason(t *testing.T) {
	h := &host{icmp: true, tcp: true}
	p := h.pinger()
	for i := range 20 {
		h.icmp = i%misses == 0
		_, method, _ := p.Ping(t.Context())
		require.Equal(t, ICMP, method)
	}
}

func TestGivingUpIsNotALoss(t *testing.T) {
	h := &host{icmp: true}
	p := h.pinger()
	_, _, err := p.Ping(t.Context())
	require.NoError(t, err)
	h.icmp = false
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 * misses {
		_, method, err := p.Ping(ctx)
		require.Error(t, err)
		require.Equal(t, ICMP, method)
	}
}

// Over loopback, where ICMP is allowed to whoever may open a socket for it.
func TestEchoOverLoopback(t *testing.T) {
	for _, address := range []string{"127.0.0.1:1", "[::1]:1"} {
		t.Run(address, func(t *testing.T) {
			conn, _, err := listen(netip.MustParseAddrPort(address).Addr())
			if err != nil {
				t.Skip("no socket for ICMP: ", err)
			}
			require.NoError(t, conn.Close())
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			rtt, method, err := New(address, nil).Ping(ctx)
			if err != nil && address[0] == '[' {
				t.Skip("no IPv6 here: ", err)
			}
			require.NoError(t, err)
			assert.Equal(t, ICMP, method)
			assert.Positive(t, rtt)
		})
	}
}

func TestConnectOverLoopback(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	p := New(listener.Addr().String(), nil)
	p.echo = func(context.Context) (time.Duration, error) { return 0, errSilent } // barred
	rtt, method, err := p.Ping(t.Context())
	require.NoError(t, err)
	assert.Equal(t, TCP, method)
	assert.Positive(t, rtt)

	require.NoError(t, listener.Close())
	_, _, err = p.Ping(t.Context())
	require.Error(t, err, "a port that is closed is no round trip to the service")
}

func TestAnAddressThatIsNoneIsAnError(t *testing.T) {
	_, _, err := New("nowhere", nil).Ping(t.Context())
	require.ErrorContains(t, err, "missing port")
}

func TestAnswersOfOthersAreIgnored(t *testing.T) {
	ip := netip.MustParseAddr("192.0.2.1")
	r, packet, err := newRequest(ip)
	require.NoError(t, err)
	reply := func(change func(*icmp.Message, *icmp.Echo)) []byte {
		echo := r.echo
		echo.Data = append([]byte(nil), echo.Data...)
		m := &icmp.Message{Type: ipv4.ICMPTypeEchoReply, Body: &echo}
		change(m, &echo)
		raw, err := m.Marshal(nil)
		require.NoError(t, err)
		return raw
	}
	assert.True(t, r.isAnsweredBy(reply(func(*icmp.Message, *icmp.Echo) {}), true))
	assert.False(t, r.isAnsweredBy(packet, true), "the request itself, as loopback shows it")
	for name, forged := range map[string][]byte{
		"identifier": reply(func(_ *icmp.Message, e *icmp.Echo) { e.ID++ }),
		"sequence":   reply(func(_ *icmp.Message, e *icmp.Echo) { e.Seq++ }),
		"token":      reply(func(_ *icmp.Message, e *icmp.Echo) { e.Data[0]++ }),
		"short":      reply(func(_ *icmp.Message, e *icmp.Echo) { e.Data = e.Data[:20] }),
		"long":       reply(func(_ *icmp.Message, e *icmp.Echo) { e.Data = append(e.Data, 0) }),
		"unreachable": reply(func(m *icmp.Message, _ *icmp.Echo) {
			m.Type, m.Body = ipv4.ICMPTypeDestinationUnreachable, &icmp.DstUnreach{}
		}),
		"nothing": nil,
		"a byte":  {0},
	} {
		assert.False(t, r.isAnsweredBy(forged, true), name)
	}
	assert.True(t, r.isAnsweredBy(reply(func(_ *icmp.Message, e *icmp.Echo) { e.ID++ }), false), "an unprivileged socket has its own")
}

// forger is a network on which others answer first.
type forger struct {
	net.PacketConn
	from    net.Addr
	packets [][]byte
}

func (f *forger) WriteTo(b []byte, _ net.Addr) (int, error) { return len(b), nil }

func (f *forger) ReadFrom(b []byte) (int, net.Addr, error) {
	if len(f.packets) == 0 {
		return 0, nil, context.DeadlineExceeded
	}
	n := copy(b, f.packets[0])
	f.packets = f.packets[1:]
	return n, f.from, nil
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 1, 0, 2, 'x'}, true)
	f.Add([]byte{3, 1, 0, 0, 0, 0, 0, 0, 0x45}, false)
	ip := netip.MustParseAddr("192.0.2.1")
	f.Fuzz(func(t *testing.T, packet []byte, raw bool) {
		_, err := exchange(&forger{from: &net.IPAddr{IP: ip.AsSlice()}, packets: [][]byte{packet}}, ip, raw)
		require.ErrorIs(t, err, context.DeadlineExceeded, "eight random bytes cannot be guessed")
	})
}
