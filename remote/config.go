// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"time"

	"edgex-offload/endpoint"
)

// DefaultMessageLimit is the largest message either side takes when nothing else is
// configured, in bytes.
const DefaultMessageLimit = 16 << 20

const (
	// DefaultCongestion is the congestion control that is used where the kernel offers it. A
	// loss-based one fills the modem's buffer before it slows down, and each call then waits
	// behind that; BBR keeps to what the link carries. A brake in the send queue does the most
	// of it for tasks where BBR is not to be had, not for answers.
	DefaultCongestion = "bbr"
	// SystemCongestion leaves the kernel's own.
	SystemCongestion = "system"
)

// ClientConfig says how a target is reached. Only Address is needed: a zero value takes
// the default that its field names.
type ClientConfig struct {
	// Address is the target's "host:port".
	Address string
	// TLS is off unless TLS.Enabled.
	TLS endpoint.TLS
	// MessageLimit bounds a request and a response, in bytes. Default 16 MiB.
	MessageLimit int
	// CallTimeout bounds a call whose context and task have no deadline. Default 30 s.
	CallTimeout time.Duration
	// ConnectTimeout bounds an attempt to connect, of several connections where none is
	// answered, TLS included. Default 2 s: raising it
	// helps on links with a round trip of seconds and delays the next attempt elsewhere.
	ConnectTimeout time.Duration
	// ReconnectMin and ReconnectMax bound the pause between two attempts to connect.
	// Defaults 150 ms and 1 s: a cloud that comes back is used again within that time.
	ReconnectMin, ReconnectMax time.Duration
	// DeadAfter is how long bytes that were sent may stay without any sign of life before
	// the connection is given up and made anew. Default 4 s. Lowering it heals a dead link
	// sooner and breaks more transfers on a link that only stalls.
	DeadAfter time.Duration
	// Congestion is TCP's congestion control for what is sent, by the kernel's name, as in
	// "cubic". Default "bbr"; "system" leaves the kernel's own, which also stays where the
	// kernel does not offer, or allow, the one that is named.
	Congestion string
	// Dial, when set, makes the TCP connections instead of the system's network, for tests
	// and for networks of one's own.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// withDefaults fills what was left out.
func (c ClientConfig) withDefaults() ClientConfig {
	fill(&c.MessageLimit, DefaultMessageLimit)
	fill(&c.CallTimeout, 30*time.Second)
	fill(&c.ConnectTimeout, 2*time.Second)
	fill(&c.ReconnectMin, 150*time.Millisecond)
	fill(&c.ReconnectMax, time.Second)
	fill(&c.DeadAfter, 4*time.Second)
	fill(&c.Congestion, DefaultCongestion)
	if c.Dial == nil {
		c.Dial = (&net.Dialer{KeepAlive: c.DeadAfter}).DialContext
	}
	return c
}

// Validate names every field that is wrong, its value and what is allowed.
func (c ClientConfig) Validate() error {
	c = c.withDefaults()
	return errors.Join(
		endpoint.ValidateAddress("Address", c.Address, false),
		c.TLS.ValidateClient(),
		between("MessageLimit", c.MessageLimit, 1<<10, 1<<30),
		between("CallTimeout", c.CallTimeout, 10*time.Millisecond, time.Hour),
		between("ConnectTimeout", c.ConnectTimeout, 10*time.Millisecond, time.Minute),
		between("ReconnectMin", c.ReconnectMin, 10*time.Millisecond, time.Minute),
		between("ReconnectMax", c.ReconnectMax, c.ReconnectMin, 10*time.Minute),
		between("DeadAfter", c.DeadAfter, 100*time.Millisecond, 10*time.Minute),
		ValidateCongestion("Congestion", c.Congestion),
	)
}

var congestionName = regexp.MustCompile(`^[a-z0-9_-]{1,15}$`)

// ValidateCongestion checks the name of a congestion control. Whether the kernel has it shows
// when it is used.
func ValidateCongestion(key, name string) error {
	if !congestionName.MatchString(name) {
		return fmt.Errorf("%s %q: allowed is system, or a kernel's name for one, as in bbr, of 1 to 15 of a-z, 0-9, _ and -", key, name)
	}
	return nil
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func between[T int | time.Duration](key string, value, low, high T) error {
	if value < low || value > high {
		return fmt.Errorf("%s %v: allowed is %v to %v", key, value, low, high)
	}
	return nil
}
