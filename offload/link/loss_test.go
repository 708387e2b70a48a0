// SPDX-License-Identifier: Apache-2.0

package link

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

func TestLossIsTheShareOfLostProbes(t *testing.T) {
	for _, share := range []int{0, 20, 4, 2, 1} { // one in so many, 0 is none
		p := newPath(50*time.Millisecond, 625e3)
		sum := 0.
		const probes = 1000
		for i := range probes {
			if share > 0 && i%share == 0 {
				p.l.AddProbeLost(p.now)
			} else {
				p.probe()
			}
			if i >= probes/2 {
				sum += p.l.Loss()
			}
			p.wait(time.Second)
		}
		want := 0.
		if share > 0 {
			want = 1 / float64(share)
		}
		assert.InDelta(t, want, sum/(probes/2), .01, "one in %d", share)
		assert.Equal(t, p.now-time.Second, p.l.Estimate().LossAt)
	}
}

func TestAFirstLossIsNoCertainOne(t *testing.T) {
	l := New()
	l.AddProbeLost(time.Second)
	assert.InDelta(t, lossWeight, l.Loss(), 1e-9)
	for range 60 {
		l.AddProbeLost(2 * time.Second)
	}
	assert.InDelta(t, .63, l.Loss(), .02, "an outage of a minute")
}

// A probe that was only late was not lost.
func TestALateProbeTakesItsLossBack(t *testing.T) {
	late, never := newPath(50*time.Millisecond, 625e3), newPath(50*time.Millisecond, 625e3)
	for i := range 300 {
		for _, p := range []*path{late, never} {
			if i%3 == 0 {
				p.l.AddProbeLost(p.now)
				p.wait(time.Second)
				if p == late {
					p.l.ProbeReturned()
				}
			}
			p.probe()
		}
		if late.l.Loss() < 0 {
			t.Fatalf("loss %v", late.l.Loss())
		}
	}
	assert.Less(t, late.l.Loss(), .01)
	assert.Greater(t, never.l.Loss(), .15)
	l := New()
	l.ProbeReturned()
	assert.Zero(t, l.Loss(), "one that was never noted as lost")
}

func TestLossFromRetransmissions(t *testing.T) {
	p := newPath(50*time.Millisecond, 625e3)
	p.socket = Socket{Connection: 1}
	for range 200 { // of twenty segments each answer and each probe, one is sent again
		p.socket.SegmentsOut += 20
		p.socket.Retransmits++
		p.answer(28_000)
		p.socket.SegmentsOut += 20
		p.socket.Retransmits++
		p.probe()
	}
	// The message itself came through: a 21st that was not lost.
	assert.InDelta(t, 1./21, p.l.Loss(), .004)
	assert.Equal(t, p.socket, p.l.Estimate().Socket)
}

// The counters of a connection begin at zero: those of another one are no difference.
func TestANewConnectionHasNewCounters(t *testing.T) {
	for name, next := range map[string]Socket{
		"a new connection":                     {Connection: 2, SegmentsOut: 2000, Retransmits: 1900},
		"fewer segments than before":           {Connection: 1, SegmentsOut: 10, Retransmits: 10},
		"no segment more":                      {Connection: 1, SegmentsOut: 1000, Retransmits: 90},
		"fewer retransmissions":                {Connection: 1, SegmentsOut: 3000, Retransmits: 0},
		"a platform that does not tell":        {SegmentsOut: 5000, Retransmits: 5000},
		"a connection that comes from nowhere": {Connection: math.MaxUint64, SegmentsOut: math.MaxUint64, Retransmits: math.MaxUint64},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPath(50*time.Millisecond, 625e3)
			p.socket = Socket{Connection: 1, SegmentsOut: 1000, Retransmits: 10}
			p.probe()
			before := p.socket
			p.socket = next
			p.probe()
			assert.Zero(t, p.l.Loss())
			if !next.Known() { // what was told last stays
				assert.Equal(t, before, p.l.Estimate().Socket)
				return
			}
			assert.Equal(t, next, p.l.Estimate().Socket)
			p.socket.SegmentsOut += 100
			p.socket.Retransmits += 50
			p.probe()
			if next.Connection < math.MaxUint64 {
				assert.Greater(t, p.l.Loss(), .3, "its own differences count")
			}
		})
	}
}

// Whatever is lost, comes late or is counted, loss is a share.
func TestLossIsAShare(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l := New()
		for i := range rapid.IntRange(1, 200).Draw(rt, "events") {
			at := time.Duration(i+1) * time.Second
			switch rapid.IntRange(0, 3).Draw(rt, "what") {
			case 0:
				l.AddProbeLost(at)
			case 1:
				l.ProbeReturned()
			case 2:
				l.AddProbe(Probe{Sent: at - 1, Back: at})
			case 3:
				l.AddTrain(Train{At: at, Socket: Socket{
					Connection:  rapid.Uint64Range(0, 2).Draw(rt, "connection"),
					SegmentsOut: rapid.Uint64().Draw(rt, "out"), Retransmits: rapid.Uint64().Draw(rt, "again"),
				}})
			}
			if loss := l.Loss(); !(loss >= 0 && loss <= 1) {
				rt.Fatalf("loss %v", loss)
			}
		}
	})
}
