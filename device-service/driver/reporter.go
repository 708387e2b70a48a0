// SPDX-License-Identifier: Apache-2.0

package driver

import (
	"context"
	"sync"
	"time"

	"github.com/edgexfoundry/go-mod-core-contracts/v3/models"
)

const tellMin, tellMax = 2 * time.Second, 30 * time.Second

// reporter keeps the OperatingState of each device in core-metadata as it truly is. It
// works beside the sources, because core-metadata may be slow or away, and goes on until
// it was told.
type reporter struct {
	// state is what the SDK believes; false is a device that it does not know.
	state func(device string) (models.OperatingState, bool)
	tell  func(device string, state models.OperatingState) error

	mu      sync.Mutex
	truth   map[string]models.OperatingState
	told    map[string]models.OperatingState // since the SDK last heard of the device
	changed chan struct{}
}

func newReporter(state func(string) (models.OperatingState, bool), tell func(string, models.OperatingState) error) *reporter {
	return &reporter{
		state: state, tell: tell, truth: map[string]models.OperatingState{}, told: map[string]models.OperatingState{},
		changed: make(chan struct{}, 1),
	}
}

// report notes the truth about a device. It never blocks.
func (r *reporter) report(device string, state models.OperatingState) {
	r.mu.Lock()
	r.truth[device] = state
	r.mu.Unlock()
	r.wake()
}

// heard notes that core-metadata said something about the device.
func (r *reporter) heard(device string) {
	r.mu.Lock()
	delete(r.told, device)
	r.mu.Unlock()
	r.wake()
}

// forget leaves the device's state as it is.
func (r *reporter) forget(device string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.truth, device)
	delete(r.told, device)
}

func (r *reporter) wake() {
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

func (r *reporter) run(ctx context.Context) {
	pause := tellMin
	for {
		var again <-chan time.Time
		if r.reconcile() {
			pause = tellMin
		} else {
			again = time.After(pause)
			pause = min(2*pause, tellMax)
		}
		select {
		case <-ctx.Done():
			return
		case <-r.changed:
		case <-again:
		}
	}
}

// reconcile tells what is believed wrongly; false is that not all could be told.
func (r *reporter) reconcile() bool {
	all := true
	for device, state := range r.untold() {
		if err := r.tell(device, state); err != nil { // logged by the SDK
			all = false
			continue
		}
		r.mu.Lock()
		r.told[device] = state
		r.mu.Unlock()
	}
	return all
}

func (r *reporter) untold() map[string]models.OperatingState {
	r.mu.Lock()
	defer r.mu.Unlock()
	untold := map[string]models.OperatingState{}
	for device, state := range r.truth {
		believed, known := r.state(device)
		if told, ok := r.told[device]; ok {
			believed = told
		}
		if known && believed != state {
			untold[device] = state
		}
	}
	return untold
}
