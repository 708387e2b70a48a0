// SPDX-License-Identifier: Apache-2.0

package link

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// offsets of a target's clock against ours, in nanoseconds since 1970.
var offsets = []int64{
	time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano(), int64(time.Hour), -int64(time.Hour), math.MaxInt64 / 2, math.MinInt64 / 2,
}

func TestQueueingUpNeedsNoCommonClock(t *testing.T) {
	for _, offset := range offsets {
		for _, drift := range []float64{0, 100e-6, -100e-6} {
			t.Run(fmt.Sprintf("offset %d, drift %g ppm", offset, drift*1e6), func(t *testing.T) {
				p := newPath(40*time.Millisecond, 625e3)
				p.offset, p.drift = offset, drift
				p.train(false)
				// A minute of drift is what the least may be off by, beside the stamps' own
				// resolution in floating point.
				allowed := ms(time.Duration(math.Abs(drift)*float64(2*extremeSpan))) + .01
				for i := range 500 {
					p.queue = time.Duration([]int{0, 0, 5, 30, 200}[i%5]) * time.Millisecond
					if i%2 == 0 {
						p.probe()
					} else {
						p.answer(1000)
					}
					if got := ms(p.l.Estimate().QueueUp); i > 10 && math.Abs(got-ms(p.queue)) > allowed {
						t.Fatalf("message %d: queueing %.3f ms, the truth is %.3f ms", i, got, ms(p.queue))
					}
					p.wait(500 * time.Millisecond)
				}
				assert.Zero(t, p.l.Rejected())
			})
		}
	}
}

// None of these is a step of a clock.
func TestNoClockStepWhereNoneWas(t *testing.T) {
	for name, live := range map[string]func(p *path){
		"a link that begins with a full queue": func(p *path) {
			p.queue = 2 * time.Second
			p.probe()
			p.queue = 0
			p.probe()
		},
		"a rate far from the assumed one": func(p *path) {
			p.up = 20e6
			for range 20 {
				p.answer(500_000)
			}
			p.up = 2e4
			for range 20 {
				p.answer(500_000)
			}
		},
		"a WiFi with a clock that drifts by 100 ppm": func(p *path) {
			p.rtt, p.drift = 2*time.Millisecond, 100e-6
			for range 1000 {
				p.probe()
				p.wait(time.Second)
			}
		},
		"days without a message at 100 ppm": func(p *path) {
			p.drift = -100e-6
			for range 5 {
				p.probe()
				p.wait(24 * time.Hour)
			}
		},
		"days without a message, and a clock that runs fast": func(p *path) {
			p.drift = 100e-6
			for range 5 {
				p.probe()
				p.wait(24 * time.Hour)
			}
		},
		"a stall": func(p *path) {
			for i := range 100 {
				p.queue = time.Duration(i%10/9) * 5 * time.Second
				p.probe()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPath(50*time.Millisecond, 625e3)
			live(p)
			assert.Zero(t, p.l.Rejected())
		})
	}
}

func TestQueueingRecoversFromAClockStep(t *testing.T) {
	for _, step := range []time.Duration{time.Second, -time.Second, 30 * 365 * 24 * time.Hour, -30 * 365 * 24 * time.Hour, 150 * time.Millisecond, -150 * time.Millisecond} {
		t.Run(step.String(), func(t *testing.T) {
			p := newPath(40*time.Millisecond, 625e3)
			for i := range 100 {
				p.queue = time.Duration(i%2) * 20 * time.Millisecond
				p.probe()
				p.wait(250 * time.Millisecond)
			}
			before := p.l.Estimate()
			p.offset += int64(step)
			for i := range 4 {
				p.queue = time.Duration(i%2) * 20 * time.Millisecond
				p.probe()
				p.wait(250 * time.Millisecond)
			}
			e := p.l.Estimate()
			within(t, "queueing", ms(e.QueueUp), 20, .001)
			assert.Equal(t, [NumReasons]uint64{ClockStep: 1}, e.Rejected)
			within(t, "round trip, which has nothing to do with it,", ms(e.RTT), ms(before.RTT), .001)
			assert.Equal(t, 104, e.Samples)
		})
	}
}

// A step that is shorter than a message takes cannot be told from queueing; it is forgotten.
func TestAStepTooSmallToSeeIsForgottenWithinAMinute(t *testing.T) {
	p := newPath(200*time.Millisecond, 625e3)
	run := func(until time.Duration) {
		for p.now < until {
			p.probe()
			p.wait(time.Second)
		}
	}
	run(10 * time.Second)
	p.offset += int64(60 * time.Millisecond)
	run(20 * time.Second)
	within(t, "queueing after the step", ms(p.l.Estimate().QueueUp), 60, .01)
	run(80 * time.Second)
	assert.InDelta(t, 0, ms(p.l.Estimate().QueueUp), .01)
	assert.Zero(t, p.l.Rejected())
}

// When the rate grows, transfers that were overestimated do not leave a queue behind that
// is longer than the round trip can hide.
func TestAChangedRateIsNoQueue(t *testing.T) {
	for _, factor := range []float64{.25, .5, 2, 8} {
		t.Run(fmt.Sprint(factor), func(t *testing.T) {
			p := newPath(20*time.Millisecond, 625e3)
			for i := range 40 {
				if i == 20 {
					p.up *= factor
				}
				p.probe()
				p.answer(100_000)
				p.wait(50 * time.Millisecond)
			}
			if got := p.l.Estimate().QueueUp; got > p.rtt+p.service+time.Millisecond {
				t.Errorf("queueing %v", got)
			}
			assert.Zero(t, p.l.Rejected())
		})
	}
}

func TestNoStampsNoQueueing(t *testing.T) {
	p := newPath(40*time.Millisecond, 625e3)
	p.stamps = false
	for range 10 {
		p.queue += 10 * time.Millisecond
		p.probe()
	}
	assert.Zero(t, p.l.Estimate().QueueUp)
}

// How long the target had a message is what its clock says, else the service time, and
// never what cannot be.
func TestTimeAtTheTarget(t *testing.T) {
	const whole = 100 * time.Millisecond
	at := func(d time.Duration) Stamps { return Stamps{Received: 1e18, Sent: 1e18 + int64(d)} }
	for _, c := range []struct {
		name    string
		stamps  Stamps
		service time.Duration
		want    time.Duration
		reasons [NumReasons]uint64
	}{
		{"nothing is said", Stamps{}, 0, 0, [NumReasons]uint64{}},
		{"service alone", Stamps{}, 30 * time.Millisecond, 30 * time.Millisecond, [NumReasons]uint64{}},
		{"clock alone", at(40 * time.Millisecond), 0, 40 * time.Millisecond, [NumReasons]uint64{}},
		{"the longer of both", at(40 * time.Millisecond), 30 * time.Millisecond, 40 * time.Millisecond, [NumReasons]uint64{}},
		{"the longer of both, service", at(20 * time.Millisecond), 30 * time.Millisecond, 30 * time.Millisecond, [NumReasons]uint64{}},
		{"half a pair", Stamps{Received: 5}, 30 * time.Millisecond, 30 * time.Millisecond, [NumReasons]uint64{}},
		{"all of it", at(whole), 0, whole, [NumReasons]uint64{}},
		{"negative service", Stamps{}, -1, 0, [NumReasons]uint64{NegativeInterval: 1}},
		{"the most negative service", Stamps{}, math.MinInt64, 0, [NumReasons]uint64{NegativeInterval: 1}},
		{"service longer than the call", Stamps{}, whole + 1, 0, [NumReasons]uint64{ServiceTooLong: 1}},
		{"the longest service", Stamps{}, math.MaxInt64, 0, [NumReasons]uint64{ServiceTooLong: 1}},
		{"sent before it was received", at(-time.Millisecond), 30 * time.Millisecond, 30 * time.Millisecond, [NumReasons]uint64{AbsurdTimestamp: 1}},
		{"held for longer than the call", at(whole + time.Millisecond), 30 * time.Millisecond, 30 * time.Millisecond, [NumReasons]uint64{AbsurdTimestamp: 1}},
		{"stamps whose difference does not fit", Stamps{math.MinInt64, math.MaxInt64}, 0, 0, [NumReasons]uint64{AbsurdTimestamp: 1}},
		{"nor the other way round", Stamps{math.MaxInt64, math.MinInt64}, 0, 0, [NumReasons]uint64{AbsurdTimestamp: 1}},
		{"both wrong", at(-time.Millisecond), -1, 0, [NumReasons]uint64{AbsurdTimestamp: 1, NegativeInterval: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := New()
			s := c.stamps
			assert.Equal(t, c.want, l.held(&s, whole, c.service))
			assert.Equal(t, c.reasons, l.Rejected())
			if c.reasons[AbsurdTimestamp] > 0 {
				assert.Zero(t, s, "stamps that cannot be must not reach the clock")
			}
		})
	}
}

// Whatever stamps come, the queueing is never more than the message itself took, give or
// take what clocks may drift.
func TestQueueingIsNeverLongerThanTheMessage(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := newPath(40*time.Millisecond, 625e3)
		for range rapid.IntRange(1, 60).Draw(rt, "messages") {
			sent := p.now
			p.now += time.Duration(rapid.IntRange(1, 2000).Draw(rt, "took")) * time.Millisecond
			received := rapid.OneOf(
				rapid.Just(p.clock(sent)), rapid.Int64(),
				rapid.Custom(func(t *rapid.T) int64 {
					return p.clock(sent) + int64(rapid.IntRange(-5000, 5000).Draw(t, "off"))*1e6
				})).Draw(rt, "received")
			p.l.AddProbe(Probe{Sent: sent, Back: p.now, Held: Stamps{Received: received, Sent: received}})
			if received == 0 {
				continue // unknown: what was seen last stays
			}
			if got, most := p.l.Estimate().QueueUp, p.now-sent+seconds(2*clockSlack); got < 0 || got > most {
				rt.Fatalf("queueing %v of a message that took %v", got, p.now-sent)
			}
			p.wait(time.Duration(rapid.IntRange(0, 20_000).Draw(rt, "pause")) * time.Millisecond)
		}
	})
}
