// SPDX-License-Identifier: Apache-2.0

package link

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// access are links as they are found, with the payload that measures them.
var access = []struct {
	name  string
	mbit  float64
	rtt   time.Duration
	bytes int
}{
	{"3G", .8, 120 * time.Millisecond, 30_000},
	{"LTE", 5, 50 * time.Millisecond, 60_000},
	{"5G", 30, 20 * time.Millisecond, 200_000},
	{"WiFi", 70, 5 * time.Millisecond, 200_000},
	{"Starlink", 12, 45 * time.Millisecond, 60_000},
	{"GEO satellite", 2, 600 * time.Millisecond, 300_000},
}

// within tells of a figure that is not near the truth.
func within(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !near(got, want, tolerance) {
		t.Errorf("%s %.4g, the truth is %.4g (allowed is %.0f%%)", what, got, want, 100*tolerance)
	}
}

func TestRoundTripWithoutTheServersTime(t *testing.T) {
	for _, c := range access {
		for _, stamps := range []bool{true, false} {
			name := c.name + " with the server's clock"
			if !stamps {
				name = c.name + " with the service time alone"
			}
			t.Run(name, func(t *testing.T) {
				p := newPath(c.rtt, c.mbit*1e6/8)
				p.stamps, p.jitter, p.service = stamps, .1, 80*time.Millisecond
				p.train(false)
				for i := range 40 {
					if i%2 == 0 {
						p.probe()
					} else {
						p.answer(rateBytes / 4)
					}
					p.wait(100 * time.Millisecond)
				}
				e := p.l.Estimate()
				within(t, "round trip", ms(e.RTT), ms(c.rtt)*1.03, .08)
				within(t, "least round trip", ms(e.MinRTT), ms(c.rtt), .05)
				if e.RTTVar > c.rtt/5 {
					t.Errorf("variation %v of a round trip of %v that varies by a tenth", e.RTTVar, c.rtt)
				}
				assert.Equal(t, p.now-100*time.Millisecond, e.RTTAt)
				assert.Equal(t, p.now-100*time.Millisecond, e.Heard)
				assert.Equal(t, 40, e.Samples)
				assert.Zero(t, e.Rejected)
			})
		}
	}
}

func TestLeastRoundTripIsForgotten(t *testing.T) {
	p := newPath(20*time.Millisecond, 1e6)
	p.probe()
	p.rtt = 80 * time.Millisecond
	for p.now < 25*time.Second {
		p.probe()
		p.wait(time.Second)
	}
	within(t, "least round trip within half a minute", ms(p.l.Estimate().MinRTT), 20, .001)
	for p.now < 65*time.Second {
		p.probe()
		p.wait(time.Second)
	}
	within(t, "least round trip after a minute", ms(p.l.Estimate().MinRTT), 80, .001)
	p.rtt = 200 * time.Millisecond
	p.wait(time.Hour)
	p.probe()
	within(t, "least round trip after a silence", ms(p.l.Estimate().MinRTT), 200, .001)
}

func TestNothingIsKnownOfANewLink(t *testing.T) {
	l := New()
	assert.Equal(t, Estimate{}, l.Estimate())
	assert.False(t, l.Known())
	assert.Equal(t, 50*time.Millisecond, l.RTT())
	assert.Equal(t, priorRate, l.UpRate())
	assert.Equal(t, 100*time.Millisecond, l.Patience())
	up, down := l.RatesAt()
	assert.Zero(t, up+down)
}

func TestLastTripIsAsItWasMeasured(t *testing.T) {
	p := newPath(20*time.Millisecond, 1e6)
	for i := range 9 {
		p.rtt = time.Duration(10+i) * time.Millisecond
		p.probe()
		at, trip := p.l.LastTrip()
		if at != p.now || math.Abs(ms(trip-p.rtt)) > .001 {
			t.Errorf("%v at %v, want %v at %v", trip, at, p.rtt, p.now)
		}
	}
}

func TestARefusalIsASignOfLife(t *testing.T) {
	l := New()
	l.SignOfLife(5 * time.Second)
	l.SignOfLife(4 * time.Second)
	assert.Equal(t, Estimate{Heard: 5 * time.Second}, l.Estimate())
}
