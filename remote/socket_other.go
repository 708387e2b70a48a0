// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package remote

import (
	"net"
	"time"

	"edgex-offload/offload/link"
)

// firstPiece is what is written at once, on a link that is not known.
const firstPiece = 16 << 10

// tuneListener leaves the socket as it is.
func tuneListener(net.Listener, string) {}

// kernel knows nothing here: what it tells is Linux's.
type kernel struct{}

func (*kernel) attach(net.Conn) {}

// tune leaves the socket as it is: the options are Linux's. A dead link is then noticed by
// the probes (path.lost).
func (*kernel) tune(time.Duration, string) {}

// writable is false, so that a goroutine does the writing and may be held up.
func (*kernel) writable() bool { return false }

func (*kernel) wait() error { return nil }

func (*kernel) pace(piece int) int { return piece }

func (*kernel) pacing() (pacing, rate float64) { return 0, 0 }

func (*kernel) flight() (acked uint64, out int, known bool) { return 0, 0, false }

func (*kernel) socket() (link.Socket, bool) { return link.Socket{}, false }
