// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"slices"
	"sync"

	"edgex-offload/offload"
)

// mostPriority is the highest there is.
const mostPriority = offload.Critical

// outbox knows the payloads that were given to gRPC and have not been answered. Its zero
// value is ready to use, and it is safe for concurrent use.
//
// gRPC hands a payload on in place, so that a piece of it is known by where it lies in
// memory: no other bytes can be mistaken for it, however equal they are.
type outbox struct {
	mu  sync.Mutex
	all []*outgoing
}

// outgoing is one payload.
type outgoing struct {
	box      *outbox
	payload  []byte
	priority offload.Priority
	taken    int // bytes that the send queue has seen; guarded by box.mu

	mu   sync.Mutex // held while sent runs, so that none runs after end
	sent func()     // nil when it was called, or is not to be called any more
}

// put enters a payload of 1 byte or more. sent may be nil. end must be called.
func (b *outbox) put(payload []byte, priority offload.Priority, sent func()) *outgoing {
	o := &outgoing{box: b, payload: payload, priority: min(max(priority, offload.Low), mostPriority), sent: sent}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = append(b.all, o)
	return o
}

// owner is the payload that piece is the next part of, and whether it is its last; nil for
// other bytes. A payload that gRPC sends again over another connection begins anew.
func (b *outbox) owner(piece []byte) (*outgoing, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, o := range b.all {
		switch {
		case o.taken < len(o.payload) && &piece[0] == &o.payload[o.taken]:
		case &piece[0] == &o.payload[0]:
			o.taken = 0
		default:
			continue
		}
		if len(piece) > len(o.payload)-o.taken {
			continue
		}
		o.taken += len(piece)
		return o, o.taken == len(o.payload)
	}
	return nil, false
}

// written calls sent, once.
func (o *outgoing) written() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if sent := o.sent; sent != nil {
		o.sent = nil
		sent()
	}
}

// end takes the payload out; sent is not called any more when it returns.
func (o *outgoing) end() {
	o.box.mu.Lock()
	o.box.all = slices.DeleteFunc(o.box.all, func(p *outgoing) bool { return p == o })
	o.box.mu.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sent = nil
}
