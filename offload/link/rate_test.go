// SPDX-License-Identifier: Apache-2.0

package link

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestUplinkRateFromRealAnswers(t *testing.T) {
	for _, c := range access {
		t.Run(c.name, func(t *testing.T) {
			p := newPath(c.rtt, c.mbit*1e6/8)
			p.jitter = .1
			answers := func(n int) {
				for range n {
					p.probe()
					p.answer(c.bytes)
					p.wait(50 * time.Millisecond)
				}
			}
			for _, factor := range []float64{1, .5, 2, 1} {
				p.up = factor * c.mbit * 1e6 / 8
				answers(12)
				e := p.l.Estimate()
				within(t, "uplink rate", e.Up.BytesPerSecond, p.up, .1)
				within(t, "its class", e.UpByClass[classOf(c.bytes)], p.up, .1)
				within(t, "time of a megabyte", p.l.Transfer(1e6).Seconds(), 1e6/p.up, .1)
				assert.Equal(t, p.now-50*time.Millisecond, e.Up.At)
				assert.False(t, e.Up.AtLeast)
			}
			if c.rtt < tripAge/2 { // else the probe is old when the answer comes
				assert.Equal(t, 4*12, p.l.Estimate().Samples, "of the round trip probes alone tell while there are some")
			}
			if e := p.l.Estimate(); e.Down.BytesPerSecond != 0 || e.Down.At != 0 || p.l.TransferDown(1e6) != 0 {
				t.Errorf("a downlink of %+v from answers of 150 bytes", e.Down)
			}
		})
	}
}

func TestOneOddTransferDoesNotMoveTheRate(t *testing.T) {
	p := newPath(50*time.Millisecond, 625e3)
	for range 12 {
		p.answer(60_000)
	}
	before := p.l.UpRate()
	p.queue = 3 * time.Second
	p.answer(60_000)
	within(t, "after a stall the uplink rate", p.l.UpRate(), before, .001)
}

func TestSmallPayloadsSayNothingOfTheRate(t *testing.T) {
	p := newPath(30*time.Millisecond, 1e6)
	for range 20 {
		p.answer(rateBytes - 1)
	}
	if e := p.l.Estimate(); e.Up != (Rate{}) || e.UpByClass != [3]float64{} || p.l.UpRate() != priorRate {
		t.Errorf("rate %+v, by class %v, in use %v", e.Up, e.UpByClass, p.l.UpRate())
	}
}

// The time of a payload that waited for others is not its own, and not its round trip.
func TestPayloadsBackToBackDoNotDisturb(t *testing.T) {
	for _, c := range access {
		t.Run(c.name, func(t *testing.T) {
			p := newPath(c.rtt, c.mbit*1e6/8)
			for range 12 {
				p.probe()
				p.answer(c.bytes)
			}
			before := p.l.Estimate()
			for i := range 60 {
				p.behind(c.bytes/(1+30*(i%2)), 150, float64((1+i%5)*c.bytes))
			}
			e := p.l.Estimate()
			assert.Equal(t, before.Up.At, e.Up.At, "no rate was measured")
			assert.Equal(t, before.Samples, e.Samples, "no round trip was measured")
			within(t, "uplink rate", e.Up.BytesPerSecond, p.up, .02)
			within(t, "round trip", ms(e.RTT), ms(c.rtt), .05)
		})
	}
}

// A link that gets quicker while payloads follow each other without a pause is seen to: one
// that waited for others and yet was quicker than its own bytes should be shows the least
// that the link carries.
func TestAQuickerLinkIsSeenBehindOtherPayloads(t *testing.T) {
	p := newPath(50*time.Millisecond, 1e5)
	for range 12 {
		p.probe()
		p.answer(30_000)
	}
	p.up = 1e6
	for range 20 {
		p.behind(30_000, 150, 30_000)
	}
	if e := p.l.Estimate(); e.Up.BytesPerSecond < 4e5 || e.Up.BytesPerSecond > 1e6 || !e.Up.AtLeast {
		t.Errorf("uplink %+v of one with 1e6, of which each payload had half", e.Up)
	}
}

func TestDownlinkRateFromLargeAnswers(t *testing.T) {
	for _, c := range access {
		t.Run(c.name, func(t *testing.T) {
			p := newPath(c.rtt, c.mbit*1e6/8)
			p.down = p.up / 2
			for range 12 {
				p.probe()
				p.answers(1000, c.bytes)
				p.wait(time.Second)
			}
			e := p.l.Estimate()
			within(t, "downlink rate", e.Down.BytesPerSecond, p.down, .1)
			within(t, "round trip, which is without them,", ms(e.RTT), ms(c.rtt), .05)
			within(t, "time of 100 KB", p.l.TransferDown(1e5).Seconds(), 1e5/p.down, .1)
			assert.Equal(t, p.now-time.Second, e.Down.At)
			assert.Zero(t, e.Up)
			// With the downlink known, a large answer does not lengthen the way up.
			for range 12 {
				p.probe()
				p.answers(c.bytes, c.bytes/2)
			}
			within(t, "uplink rate", p.l.Estimate().Up.BytesPerSecond, p.up, .1)
			assert.Equal(t, e.Down, p.l.Estimate().Down, "the smaller part of a time shows no rate")
		})
	}
}

// A payload and an answer that are both large share one time: it is the larger one's.
func TestOneTimeShowsOneRate(t *testing.T) {
	p := newPath(50*time.Millisecond, 625e3)
	for range 12 {
		p.probe()
		p.answers(60_000, 20_000)
	}
	assert.Zero(t, p.l.Estimate().Down)
	within(t, "time of a payload and its answer", p.l.Transfer(60_000).Seconds(), 80_000/p.up, .05)
}

// An answer is the only thing that tells of a link which nobody probes.
func TestAnswersTellTheRoundTripToo(t *testing.T) {
	p := newPath(50*time.Millisecond, 625e3)
	p.train(false)
	for range 40 {
		p.answer(60_000)
		p.wait(2 * time.Second)
	}
	e := p.l.Estimate()
	within(t, "round trip", ms(e.RTT), 50, .05)
	within(t, "uplink rate", e.Up.BytesPerSecond, p.up, .05)
	p = newPath(50*time.Millisecond, 625e3)
	for range 40 {
		p.answers(60_000, 60_000)
		p.answers(1000, 60_000)
		p.wait(2 * time.Second)
	}
	assert.False(t, p.l.Known(), "nothing of it is a round trip alone")
}

// What is over sooner than the round trip varies shows the least that the link carries.
func TestAPayloadTooSmallForTheLinkMakesItNoSlower(t *testing.T) {
	p := newPath(100*time.Millisecond, 1e7)
	for range 9 {
		p.train(false)
	}
	for range 40 {
		p.rtt, p.jitter = 100*time.Millisecond, 1
		p.probe()
		p.probe()
		p.rtt, p.jitter = p.l.RTT()+p.l.Estimate().RTTVar/2, 0
		p.answer(rateBytes)
	}
	e := p.l.Estimate()
	assert.True(t, e.Up.AtLeast)
	within(t, "uplink rate", e.Up.BytesPerSecond, 1e7, .001)
}

func TestTrainsShowBothRates(t *testing.T) {
	for _, c := range access {
		t.Run(c.name, func(t *testing.T) {
			p := newPath(c.rtt, c.mbit*1e6/8)
			p.down = 3 * p.up
			for range 5 {
				p.train(false)
				p.wait(time.Second)
			}
			e := p.l.Estimate()
			within(t, "uplink rate", e.Up.BytesPerSecond, p.up, .01)
			within(t, "downlink rate", e.Down.BytesPerSecond, min(p.down, 2e7), .01)
			assert.Equal(t, p.now-time.Second, e.Up.At)
			assert.Equal(t, p.now-time.Second, e.Down.At)
			assert.Zero(t, e.Samples, "a train is no round trip")
		})
	}
}

// A train that something else spread says only that the link carries that much.
func TestATrainOfAtLeastMakesNoLinkSlower(t *testing.T) {
	p := newPath(50*time.Millisecond, 1e6)
	for range 9 {
		p.train(false)
	}
	p.up, p.down = 1e5, 1e5
	for range 30 {
		p.train(true)
	}
	e := p.l.Estimate()
	within(t, "uplink rate", e.Up.BytesPerSecond, 1e6, .01)
	within(t, "downlink rate", e.Down.BytesPerSecond, 1e6, .01)
	assert.True(t, e.Up.AtLeast)
	p.up, p.down = 4e6, 4e6
	for range 9 {
		p.train(true)
	}
	e = p.l.Estimate()
	within(t, "uplink rate of a quicker link", e.Up.BytesPerSecond, 4e6, .01)
	within(t, "its downlink rate", e.Down.BytesPerSecond, 4e6, .01)
}

// Where there is nothing else it is all that is known.
func TestAFirstTrainOfAtLeastCounts(t *testing.T) {
	p := newPath(50*time.Millisecond, 1e6)
	p.train(true)
	e := p.l.Estimate()
	within(t, "uplink rate", e.Up.BytesPerSecond, 1e6, .01)
	assert.True(t, e.Up.AtLeast)
}
