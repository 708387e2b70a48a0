// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"errors"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// notSentLowat bounds the bytes that wait in the kernel before they are sent. Beyond it
// they wait in gRPC, which interleaves calls, so that a probe or an urgent task does not
// stand behind a whole picture. A quarter of a typical frame keeps the link busy.
const notSentLowat = 32 << 10

// tuneSocket gives up a connection whose bytes are not acknowledged for deadAfter, instead
// of the quarter of an hour that TCP tries by default. An option the kernel lacks is left.
func tuneSocket(deadAfter time.Duration) func(network, address string, conn syscall.RawConn) error {
	return func(_, _ string, conn syscall.RawConn) error {
		return conn.Control(func(fd uintptr) {
			_ = errors.Join(
				unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(deadAfter.Milliseconds())),
				unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, notSentLowat),
			)
		})
	}
}
