// SPDX-License-Identifier: Apache-2.0

package offload

import "time"

// probed is a probe as it was asked for.
type probed struct {
	at, until       time.Duration
	bytes, downward int
}

// site is a plant that notes its probes.
type site struct {
	*plant
	probes []probed
}

func newSite(t fataler, c Config) *site {
	s := &site{plant: newPlant(t, c)}
	s.answer(s.plant.probe)
	s.do(Event{Kind: TimerRang})
	return s
}

// answer says how probes end from now on; nil lets each be lost.
func (s *site) answer(how func(Action) (time.Duration, Event)) {
	s.plant.probe = func(a Action) (time.Duration, Event) {
		s.probes = append(s.probes, probed{s.now, a.Until.Sub(testEpoch), a.Bytes, a.BytesDown})
		if how == nil {
			return a.Until.Sub(testEpoch) - s.now, Event{Kind: ProbeLost, Error: "deadline exceeded"}
		}
		return how(a)
	}
}

// since are the probes from a time on.
func (s *site) since(at time.Duration) (n []probed) {
	for _, p := range s.probes {
		if p.at >= at {
			n = append(n, p)
		}
	}
	return n
}

// trainSpent is what was spent on packet trains.
func (s *site) trainSpent() (bytes, trains int) {
	for _, p := range s.probes {
		if bytes += p.bytes + p.downward; p.bytes+p.downward > 0 {
			trains++
		}
	}
	return bytes, trains
}

// works lets tasks arrive for a while.
func (s *site) works(every, length time.Duration) {
	for end := s.now + length; s.now < end; {
		s.arrive(nil)
		s.until(min(s.now+every, end))
	}
}

// pauses are what lies between one probe and the next.
func pauses(probes []probed) (all []time.Duration) {
	for i := 1; i < len(probes); i++ {
		all = append(all, probes[i].at-probes[i-1].at)
	}
	return all
}

// locally is a site whose tasks are decided and stay on the box.
func locally() Config {
	c := testConfig()
	c.Settings.Policy = PolicyLocal
	return c
}

// remotely is one whose tasks all leave it.
func remotely() Config {
	c := testConfig()
	c.Settings.Policy, c.Settings.Hedge = PolicyCloud, false
	return c
}

// goodRTT is that of newPlant's probes.
const goodRTT = 30 * time.Millisecond
