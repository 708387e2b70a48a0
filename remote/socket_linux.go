// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"errors"
	"math"
	"net"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"edgex-offload/offload/link"
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

// kernel asks the kernel about one connection. The zero value knows nothing. It is safe
// for concurrent use, and asking allocates nothing.
type kernel struct {
	raw syscall.RawConn

	mu   sync.Mutex // guards what ask fills
	ask  func(fd uintptr)
	info unix.TCPInfo
	err  error
}

func (k *kernel) attach(conn net.Conn) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	k.raw = raw
	k.ask = func(fd uintptr) { k.err = tcpInfo(fd, &k.info) }
}

// tcpInfo is unix.GetsockoptTCPInfo into memory that is there already.
func tcpInfo(fd uintptr, info *unix.TCPInfo) error {
	size := uint32(unix.SizeofTCPInfo)
	_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, fd, unix.IPPROTO_TCP, unix.TCP_INFO,
		uintptr(unsafe.Pointer(info)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// socket is false where the kernel said nothing: the connection is closed.
func (k *kernel) socket() (link.Socket, bool) {
	if k.raw == nil {
		return link.Socket{}, false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.raw.Control(k.ask); err != nil || k.err != nil {
		return link.Socket{}, false
	}
	i := &k.info
	return link.Socket{
		RTT: micros(i.Rtt), RTTVar: micros(i.Rttvar), MinRTT: micros(i.Min_rtt),
		DeliveryRate:       float64(i.Delivery_rate),
		ApplicationLimited: applicationLimited(i),
		SegmentsOut:        uint64(i.Segs_out),
		Retransmits:        uint64(i.Total_retrans),
		Unsent:             int(i.Notsent_bytes),
		Unacked:            unacked(i),
	}, true
}

// applicationLimited is a bit of tcp_info that unix.TCPInfo has no name for: the lowest of
// the eighth byte (linux/tcp.h, tcpi_delivery_rate_app_limited).
func applicationLimited(i *unix.TCPInfo) bool {
	return (*[8]byte)(unsafe.Pointer(i))[7]&1 != 0
}

// unacked is 1 byte less where the kernel counts the SYN among what was acknowledged.
func unacked(i *unix.TCPInfo) int {
	if i.Unacked == 0 {
		return 0
	}
	return int(max(0, int64(i.Bytes_sent)-int64(i.Bytes_retrans)-int64(i.Bytes_acked)))
}

// micros is 0 for a figure that the kernel does not have yet.
func micros(n uint32) time.Duration {
	if n == math.MaxUint32 {
		return 0
	}
	return time.Duration(n) * time.Microsecond
}
