// SPDX-License-Identifier: Apache-2.0

package train

import (
	"math/rand/v2"

	"edgex-offload/offload"
)

// transition is one decision and what came of it.
type transition struct {
	state, next [offload.StateSize]float32
	action      int8
	// open are the actions of the next decision; last: there was none.
	open           [offload.Actions]bool
	last           bool
	reward         float32
	rewarded, done bool
}

// replay keeps the last transitions; what is drawn from it is spread over many moments.
type replay struct {
	kept []transition
	next int
}

func newReplay(size int) *replay { return &replay{kept: make([]transition, 0, size)} }

func (r *replay) add(t *transition) {
	if len(r.kept) < cap(r.kept) {
		r.kept = append(r.kept, *t)
		return
	}
	r.kept[r.next] = *t
	r.next = (r.next + 1) % len(r.kept)
}

func (r *replay) draw(rng *rand.Rand) *transition { return &r.kept[rng.IntN(len(r.kept))] }
