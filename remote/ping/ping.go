// SPDX-License-Identifier: Apache-2.0

package ping

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// How a round trip was measured.
const (
	ICMP = "icmp"
	TCP  = "tcp"
)

const (
	// timeout bounds a Ping whose context has no deadline.
	timeout = 2 * time.Second
	// recheck is how long TCP is used before ICMP is tried again.
	recheck = time.Minute
	// misses is how many echoes in a row may stay unanswered before TCP is tried: fewer and
	// the loss of a packet would pass for a host that bars ICMP.
	misses = 3
)

// DialFunc makes a connection, as net.Dialer.DialContext does.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// Pinger measures round trips to one host.
type Pinger struct {
	echo, connect func(context.Context) (time.Duration, error)
	now           func() time.Time

	mu     sync.Mutex
	method string // in use; "" before the first that worked
	since  time.Time
	missed int
}

// New makes a Pinger for "host:port", of which TCP connects to the port and ICMP goes to
// the host. dial is for networks of one's own and may be nil.
func New(address string, dial DialFunc) *Pinger {
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	target := &target{address: address, dial: dial}
	return &Pinger{echo: target.echo, connect: target.connect, now: time.Now}
}

// Ping makes one round trip and tells how. It takes until ctx ends at the longest, or 2 s
// where ctx has no deadline.
func (p *Pinger) Ping(ctx context.Context) (rtt time.Duration, method string, err error) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	switch p.inUse() {
	case ICMP:
		rtt, err = p.echo(ctx)
		p.echoed(ctx, err)
		return rtt, ICMP, err
	case TCP:
		rtt, err = p.connect(ctx)
		return rtt, TCP, err
	default:
		return p.choose(ctx)
	}
}

// inUse is the method to use, "" where it has to be chosen, for the first time or anew.
func (p *Pinger) inUse() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.method == TCP && p.now().Sub(p.since) > recheck || p.missed >= misses {
		return ""
	}
	return p.method
}

// echoed counts the echoes that stay unanswered in a row, not those that were given up.
func (p *Pinger) echoed(ctx context.Context, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err == nil:
		p.missed = 0
	case !errors.Is(ctx.Err(), context.Canceled):
		p.missed++
	}
}

// choose tries ICMP for half of the time that is left, then TCP.
func (p *Pinger) choose(ctx context.Context) (time.Duration, string, error) {
	deadline, _ := ctx.Deadline()
	half, cancel := context.WithTimeout(ctx, time.Until(deadline)/2)
	defer cancel()
	rtt, echoErr := p.echo(half)
	if echoErr == nil {
		p.use(ICMP)
		return rtt, ICMP, nil
	}
	rtt, err := p.connect(ctx)
	if err != nil {
		return 0, TCP, fmt.Errorf("ICMP: %w; TCP: %w", echoErr, err)
	}
	p.use(TCP)
	return rtt, TCP, nil
}

func (p *Pinger) use(method string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.method, p.since, p.missed = method, p.now(), 0
}
