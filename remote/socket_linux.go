// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"math"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"edgex-offload/offload/link"
)

// firstPiece is what is written at once before the link is known.
const firstPiece = leastPiece

// tcpRTOMax is TCP_RTO_MAX_MS, since Linux 6.15 (linux/tcp.h).
const tcpRTOMax = 44

// tuneListener sets the congestion control of what is sent on the connections that come,
// where the kernel allows it, and lets them try again soon.
func tuneListener(listener net.Listener, congestion string) {
	conn, ok := listener.(syscall.Conn)
	if !ok {
		return
	}
	if raw, err := conn.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) {
			setCongestion(fd, congestion)
			setEager(fd)
		})
	}
}

// setCongestion leaves the kernel's own where it does not offer, or allow, the other.
func setCongestion(fd uintptr, name string) {
	if name != SystemCongestion {
		_ = unix.SetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION, name)
	}
}

// isSelfLimited tells whether the congestion control is one that keeps to what the path
// holds by itself, as BBR does, or to a delay.
func isSelfLimited(fd uintptr) bool {
	name, err := unix.GetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION)
	return err == nil && (strings.HasPrefix(name, "bbr") || name == "vegas" || name == "nv" || name == "cdg")
}

// setEager keeps TCP from doubling the pause before each further attempt to send what was not
// acknowledged, which after an outage of some seconds would last for as long again: up to
// 1 s, the least that the kernel takes, or, where it is older, the first six times while little
// is under way, as it is when probes alone ask.
func setEager(fd uintptr) {
	_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, tcpRTOMax, 1000)
	_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_THIN_LINEAR_TIMEOUTS, 1)
}

// kernel asks the kernel about one connection. The zero value knows nothing. It is safe
// for concurrent use, and asking allocates nothing.
type kernel struct {
	raw         syscall.RawConn
	selfLimited bool // since tune

	mu    sync.Mutex // guards what ask and look fill
	ask   func(fd uintptr)
	look  func(fd uintptr)
	info  unix.TCPInfo
	err   error
	ready bool
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
	k.look = func(fd uintptr) { k.ready = isWritable(fd) }
}

// tune gives up a connection whose bytes are not acknowledged for deadAfter, instead of
// the quarter of an hour that TCP tries by default, and sets the congestion control. An
// option that the kernel lacks is left.
func (k *kernel) tune(deadAfter time.Duration, congestion string) {
	if k.raw == nil {
		return
	}
	_ = k.raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(deadAfter.Milliseconds()))
		setCongestion(fd, congestion)
		setEager(fd)
		setLowat(fd, leastPiece)
		k.selfLimited = isSelfLimited(fd)
	})
}

// setLowat lets the kernel call a socket writable while less than a piece of it is unsent.
func setLowat(fd uintptr, piece int) {
	_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, 2*piece)
}

// isWritable tells whether less than half of TCP_NOTSENT_LOWAT is unsent. A write alone
// would not: it fills the last buffer of the kernel, of up to 64 KiB, whatever is unsent.
func isWritable(fd uintptr) bool {
	fds := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	n, err := unix.Poll(fds[:], 0)
	return n != 0 || err != nil // of an error the write will tell
}

// writable tells whether a piece can be written at once.
func (k *kernel) writable() bool {
	if k.raw == nil {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.raw.Control(k.look) != nil || k.ready
}

// wait returns when a piece can be written at once. The poll that says that it cannot is
// what makes the kernel wake the one who waits.
func (k *kernel) wait() error {
	if k.raw == nil {
		return nil
	}
	return k.raw.Write(isWritable)
}

// pace is what the link carries in pieceTime, in steps of 2 from leastPiece on, and fits
// the kernel's own queue to it where that is not the piece until now.
func (k *kernel) pace(piece int) int {
	if k.raw == nil {
		return piece
	}
	_, rate := k.pacing()
	fits := leastPiece
	for fits < mostPiece && float64(2*fits) <= rate*pieceTime.Seconds() {
		fits *= 2
	}
	if fits = min(fits, mostPiece); fits != piece {
		_ = k.raw.Control(func(fd uintptr) { setLowat(fd, fits) })
	}
	return fits
}

// pacing is the rate at which the kernel lets bytes go, and rate what of them the link
// takes, in bytes per second; 0 where unknown. A loss-based congestion control lets go up to
// twice of what is delivered.
func (k *kernel) pacing() (pacing, rate float64) {
	const growing = 1.25 // beyond what was delivered, to find more
	if k.raw == nil {
		return 0, 0
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	i := &k.info
	if k.raw.Control(k.ask) != nil || k.err != nil || i.Pacing_rate == math.MaxUint64 {
		return 0, 0
	}
	pacing = float64(i.Pacing_rate)
	if i.Delivery_rate > 0 && !applicationLimited(i) {
		return pacing, min(pacing, growing*float64(i.Delivery_rate))
	}
	return pacing, pacing
}

// flight is how many bytes were acknowledged so far, and how many the kernel still has. It
// is not known where the congestion control limits that itself.
func (k *kernel) flight() (acked uint64, out int, known bool) {
	if k.raw == nil || k.selfLimited {
		return 0, 0, false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	i := &k.info
	if k.raw.Control(k.ask) != nil || k.err != nil {
		return 0, 0, false
	}
	return i.Bytes_acked, unacked(i) + int(i.Notsent_bytes), true
}

// tcpInfo is unix.GetsockoptTCPInfo into memory that is there already.
func tcpInfo(fd uintptr, info *unix.TCPInfo) error {
	size := uint32(unix.SizeofTCPInfo)
	//nolint:gosec // the kernel writes up to size bytes to info, which is as large
	_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, fd, unix.IPPROTO_TCP, unix.TCP_INFO, uintptr(unsafe.Pointer(info)), uintptr(unsafe.Pointer(&size)), 0)
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
	return (*[8]byte)(unsafe.Pointer(i))[7]&1 != 0 //nolint:gosec // within the struct
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
