// SPDX-License-Identifier: Apache-2.0

package twin

import "time"

// eventKind says what is going to happen.
type eventKind uint8

const (
	callDo     eventKind = iota // do is called
	ringBell                    // id: the number of the Ring
	endLocal                    // id: the attempt
	leave                       // id: the attempt whose payload has left
	endRemote                   // id: the attempt
	failRemote                  // id: the attempt, which was cancelled
)

// event is something that will happen. It is of one size and holds no closure but for the
// few that need one: there are some ten for each task.
type event struct {
	at    time.Duration
	order int
	kind  eventKind
	id    uint64
	do    func()
}

func (e *event) before(other *event) bool {
	return e.at < other.at || (e.at == other.at && e.order < other.order)
}

// queue is a binary heap of events by time, then by order of their making.
type queue []event

func (q *queue) push(e event) {
	h := append(*q, e)
	i := len(h) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !e.before(&h[parent]) {
			break
		}
		h[i] = h[parent]
		i = parent
	}
	h[i] = e
	*q = h
}

// pop takes the first one; the queue is not empty.
func (q *queue) pop() event {
	h := *q
	first, last := h[0], h[len(h)-1]
	h[len(h)-1] = event{} // let go of what it holds
	h = h[:len(h)-1]
	*q = h
	if len(h) > 0 {
		h.sink(last)
	}
	return first
}

// sink puts an event in from the root on.
func (q queue) sink(e event) {
	i := 0
	for {
		child := 2*i + 1
		if child >= len(q) {
			break
		}
		if right := child + 1; right < len(q) && q[right].before(&q[child]) {
			child = right
		}
		if !q[child].before(&e) {
			break
		}
		q[i] = q[child]
		i = child
	}
	q[i] = e
}
