// SPDX-License-Identifier: Apache-2.0

package tun

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"edgex-offload/standalone/emulator"
)

// The addresses are of a block for documentation (RFC 5737), so that what is dialled by
// mistake outside of the namespaces reaches nobody.
const (
	clientAddress = "192.0.2.1"
	serverAddress = "192.0.2.2"
	prefixBits    = 30
)

// Network is a running link between two namespaces. It is safe for concurrent use.
type Network struct {
	ends  [2]*Namespace // by the direction they send in
	began time.Time
	pump  *pump
	ended chan struct{} // when the pump has
	close sync.Once
	err   error

	mu   sync.Mutex // guards link
	link *link
}

// New makes the namespaces and starts the link; Close ends it. It fails as Available
// does, or for an option that it names.
func New(o Options) (*Network, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("tun: %w", err)
	}
	n := &Network{ended: make(chan struct{})}
	for d, address := range [2]string{emulator.Up: clientAddress, emulator.Down: serverAddress} {
		end, err := newNamespace(address, o.CongestionControl)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("tun: %w", err), n.closeEnds())
		}
		n.ends[d] = end
	}
	var err error
	if n.pump, err = newPump(n); err != nil {
		return nil, errors.Join(fmt.Errorf("tun: %w", err), n.closeEnds())
	}
	n.link, n.began = newLink(o), time.Now()
	go func() {
		defer close(n.ended)
		n.err = n.pump.run()
	}()
	return n, nil
}

// Available tells why New would fail for want of a right or a device, nil if it would not.
func Available() error {
	end, err := newNamespace(clientAddress, "")
	if err != nil {
		return fmt.Errorf("tun: %w", err)
	}
	return end.close()
}

// Client is the namespace whose packets go up.
func (n *Network) Client() *Namespace { return n.ends[emulator.Up] }

// Server is the namespace whose packets go down.
func (n *Network) Server() *Namespace { return n.ends[emulator.Down] }

// Elapsed is the link's time: since the first slot began.
func (n *Network) Elapsed() time.Duration { return time.Since(n.began) }

// Now is what the link is like at this moment.
func (n *Network) Now() emulator.Conditions {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.link.advance(n.Elapsed())
}

// At is what the link was like at a time of Elapsed, for the last two hours at least. A
// time to come stands for this moment.
func (n *Network) At(elapsed time.Duration) emulator.Conditions {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.link.advance(n.Elapsed())
	return n.link.timeline.at(elapsed)
}

// Set goes on with another source when the next slot begins, and returns when that is in
// the time of Elapsed.
func (n *Network) Set(source emulator.Source) time.Duration {
	return n.change(func(t *timeline) { t.source = source })
}

// Cut makes an outage from the next slot, whose time it returns, until Restore.
func (n *Network) Cut() time.Duration { return n.change(func(t *timeline) { t.cut = true }) }

// Restore ends a Cut when the next slot begins, and returns when that is.
func (n *Network) Restore() time.Duration { return n.change(func(t *timeline) { t.cut = false }) }

func (n *Network) change(how func(*timeline)) time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.link.change(n.Elapsed(), how)
}

// Counters are by emulator.Up and emulator.Down.
func (n *Network) Counters() [2]Counters {
	n.mu.Lock()
	all := n.link.counters(n.Elapsed())
	n.mu.Unlock()
	for d, end := range n.ends {
		all[d].Missed = end.unread()
	}
	return all
}

// Close stops the link, waits for it and removes devices and namespaces; what was made
// in them, sockets and processes, is its maker's to end. It returns what the link failed
// of, if it did. More calls do nothing and return the same.
func (n *Network) Close() error {
	n.close.Do(func() {
		n.pump.stop()
		<-n.ended
		n.err = errors.Join(n.err, n.pump.close(), n.closeEnds())
	})
	return n.err
}

func (n *Network) closeEnds() error {
	var errs []error
	for _, end := range n.ends {
		if end != nil {
			errs = append(errs, end.close())
		}
	}
	return errors.Join(errs...)
}

// offer hands a packet that comes now to the link.
func (n *Network) offer(d emulator.Direction, data []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.link.offer(n.Elapsed(), d, data)
}

// deliver writes a packet that is due, and tells whether there was one.
func (n *Network) deliver(d emulator.Direction, write func([]byte) bool) bool {
	n.mu.Lock()
	p, ok := n.link.due(n.Elapsed(), d)
	n.mu.Unlock()
	if !ok {
		return false
	}
	late := n.Elapsed() - p.arrives
	taken := write(p.data)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.link.done(d, p, late, taken)
	return true
}

// wait is how long there is nothing to do.
func (n *Network) wait() time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := n.Elapsed()
	return n.link.wake(now) - now
}
