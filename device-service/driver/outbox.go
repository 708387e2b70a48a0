// SPDX-License-Identifier: Apache-2.0

package driver

import (
	"context"
	"slices"
	"sync"
	"time"

	"edgex-offload/device-service/source"
)

// delivery is one sample on its way to the bus.
type delivery struct {
	device, resource, valueType string
	sample                      source.Sample
	settle                      func(source.Reason) // called once; empty is sent
}

func (d delivery) lane() lane { return lane{d.device, d.resource} }

// lane is the way of one resource of one device. There is room for one sample on it.
type lane struct{ device, resource string }

// outbox holds the newest sample of each lane. Lanes take turns.
type outbox struct {
	mu      sync.Mutex
	pending map[lane]delivery
	turns   []lane             // those with a pending sample, the longest waiting first
	holds   map[lane]time.Time // not to be taken before
	changed chan struct{}      // holds one note that something was put
}

func newOutbox() *outbox {
	return &outbox{pending: map[lane]delivery{}, holds: map[lane]time.Time{}, changed: make(chan struct{}, 1)}
}

// put adds a sample. An older one that still waits is superseded. It never blocks.
func (o *outbox) put(d delivery) {
	o.mu.Lock()
	old, replaced := o.pending[d.lane()]
	o.pending[d.lane()] = d
	if !replaced {
		o.turns = append(o.turns, d.lane())
	}
	o.mu.Unlock()
	if replaced {
		old.settle(source.Superseded)
		return
	}
	select {
	case o.changed <- struct{}{}:
	default:
	}
}

// take waits for a sample; false is that ctx ended.
func (o *outbox) take(ctx context.Context) (delivery, bool) {
	for ctx.Err() == nil {
		d, ok, wait := o.next(time.Now())
		if ok {
			return d, true
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-o.changed:
		case <-timer.C:
		}
		timer.Stop()
	}
	return delivery{}, false
}

// next takes the first lane that is not on hold, or says how long it is until one is
// free.
func (o *outbox) next(now time.Time) (d delivery, ok bool, wait time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	wait = time.Hour
	for i, l := range o.turns {
		if left := o.holds[l].Sub(now); left > 0 {
			wait = min(wait, left)
			continue
		}
		o.turns = slices.Delete(o.turns, i, i+1)
		d = o.pending[l]
		delete(o.pending, l)
		return d, true, 0
	}
	return delivery{}, false, wait
}

// hold keeps a lane from being taken for a while; zero ends that.
func (o *outbox) hold(l lane, pause time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if pause <= 0 {
		delete(o.holds, l)
		return
	}
	o.holds[l] = time.Now().Add(pause)
}

// forget settles what waits of a device that is gone.
func (o *outbox) forget(device string) {
	o.mu.Lock()
	var gone []delivery
	for l, d := range o.pending {
		if l.device == device {
			gone = append(gone, d)
			delete(o.pending, l)
		}
	}
	ofDevice := func(l lane) bool { return l.device == device }
	o.turns = slices.DeleteFunc(o.turns, ofDevice)
	for l := range o.holds {
		if ofDevice(l) {
			delete(o.holds, l)
		}
	}
	o.mu.Unlock()
	for _, d := range gone {
		d.settle(source.DeviceGone)
	}
}
