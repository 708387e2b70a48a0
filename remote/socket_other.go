// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package remote

import (
	"net"
	"syscall"
	"time"

	"edgex-offload/offload/link"
)

// tuneSocket leaves the socket as it is: the options are Linux's. A dead link is then
// noticed by the probes (path.lost).
func tuneSocket(time.Duration) func(network, address string, conn syscall.RawConn) error { return nil }

// kernel knows nothing here: what it tells is Linux's.
type kernel struct{}

func (*kernel) attach(net.Conn) {}

func (*kernel) socket() (link.Socket, bool) { return link.Socket{}, false }
