// SPDX-License-Identifier: Apache-2.0

package twin

import (
	"time"

	"edgex-offload/offload"
)

// lookAtBox plans to tell the engine when the box begins and ends to throttle, at the next look
// at it.
func (s *simulation) lookAtBox() {
	every := s.scenario.ThrottlingTold
	if every == 0 {
		return
	}
	next := func(at time.Duration) time.Duration { return (at + every - 1).Truncate(every) }
	for _, e := range s.work.throttling {
		s.at(next(e.from), s.tellSpeed)
		s.at(next(e.to), s.tellSpeed)
	}
}

func (s *simulation) tellSpeed() {
	speed := 1.
	if within(s.work.throttling, s.now) {
		speed = min(1, 1/s.scenario.Throttling.Factor)
	}
	s.tell(offload.Event{Kind: offload.BoxChanged, Battery: 1, Charging: true, Speed: speed})
}
