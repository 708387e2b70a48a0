// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// congestionOf is that of the client's current socket.
func congestionOf(t *testing.T, c *Client) string {
	t.Helper()
	var name string
	var err error
	require.NoError(t, c.path.current.kernel.raw.Control(func(fd uintptr) {
		name, err = unix.GetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION)
	}))
	require.NoError(t, err)
	return name
}

// The kernel's own is kept where it does not know, or allow, the one that is asked for.
func TestCongestionControlIsBestEffort(t *testing.T) {
	_, address := serve(t, ServerConfig{Congestion: "no-such-one"})
	system := congestionOf(t, dialed(t, ClientConfig{Address: address, Congestion: SystemCongestion}))
	assert.NotEmpty(t, system)
	for name, want := range map[string]string{"reno": "reno", "no-such-one": system} { // reno is always there
		client := dialed(t, ClientConfig{Address: address, Congestion: name})
		assert.Equal(t, want, congestionOf(t, client))
		_, err := client.Offload(soon(t), task("t"), nil)
		require.NoError(t, err)
	}
}

func TestSocketTriesAgainSoon(t *testing.T) {
	_, address := serve(t, ServerConfig{})
	require.NoError(t, dialed(t, ClientConfig{Address: address}).path.current.kernel.raw.Control(func(fd uintptr) {
		linear, err := unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_THIN_LINEAR_TIMEOUTS)
		require.NoError(t, err)
		assert.Equal(t, 1, linear)
		if most, err := unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, tcpRTOMax); err == nil { // since Linux 6.15
			assert.Equal(t, 1000, most)
		}
	}))
}

// The brake is for those that fill the network's buffers.
func TestBrakeIsForLossBasedCongestionControl(t *testing.T) {
	_, address := serve(t, ServerConfig{})
	for name, brakes := range map[string]bool{"reno": true, "bbr": false} {
		client := dialed(t, ClientConfig{Address: address, Congestion: name})
		if congestionOf(t, client) != name {
			t.Skip("the kernel has, or allows, no " + name)
		}
		_, _, known := client.path.current.kernel.flight()
		assert.Equal(t, brakes, known, name)
	}
}

// What the send queue stands on: the kernel calls a socket writable while less than a piece
// is unsent, and wakes the one who waits for that.
func TestSocketThatIsFullIsNotWritable(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	conn, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	far, err := listener.Accept()
	require.NoError(t, err)
	defer far.Close()
	var k kernel
	k.attach(conn)
	k.tune(1e9, SystemCongestion)
	written := 0
	for k.writable() {
		n, err := conn.Write(make([]byte, leastPiece))
		require.NoError(t, err)
		written += n
	}
	s, ok := k.socket()
	require.True(t, ok)
	assert.Positive(t, s.Unsent)
	assert.Less(t, s.Unsent, 2*leastPiece)
	assert.LessOrEqual(t, s.Unsent+s.Unacked, written)

	waited := make(chan error)
	go func() { waited <- k.wait() }()
	buffer := make([]byte, 64<<10)
	for read := 0; read < written; {
		n, err := far.Read(buffer)
		require.NoError(t, err)
		read += n
	}
	require.NoError(t, <-waited)
	assert.True(t, k.writable())

	for k.writable() {
		_, err := conn.Write(make([]byte, leastPiece))
		require.NoError(t, err)
	}
	go func() { waited <- k.wait() }()
	require.NoError(t, conn.Close())
	require.Error(t, <-waited, "who waits hears of the end")
}
