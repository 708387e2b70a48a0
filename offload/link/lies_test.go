// SPDX-License-Identifier: Apache-2.0

package link

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// lies are what a peer or a clock may say of a good message, and how it is counted.
var lies = []struct {
	name   string
	tell   func(a *Attempt)
	reason Reason
}{
	{"a negative service time", func(a *Attempt) { a.Service = -time.Hour }, NegativeInterval},
	{"the most negative service time", func(a *Attempt) { a.Service = math.MinInt64 }, NegativeInterval},
	{"a service time longer than the call", func(a *Attempt) { a.Service = time.Hour }, ServiceTooLong},
	{"the longest service time", func(a *Attempt) { a.Service = math.MaxInt64 }, ServiceTooLong},
	{"answered before it was asked", func(a *Attempt) { a.Sent = a.End + time.Second }, NegativeInterval},
	{"answered in no time", func(a *Attempt) { a.Sent = a.End }, NegativeInterval},
	{"answered before it was predicted", func(a *Attempt) { a.Prediction.At = a.End + 1 }, NegativeInterval},
	{"sent back before it came", func(a *Attempt) { a.Held.Sent = a.Held.Received - 1e9 }, AbsurdTimestamp},
	{"held for longer than the call", func(a *Attempt) { a.Held.Sent = a.Held.Received + 1e12 }, AbsurdTimestamp},
	{"stamps at both ends of time", func(a *Attempt) { a.Held = Stamps{math.MinInt64, math.MaxInt64} }, AbsurdTimestamp},
	{"stamps at the end of time", func(a *Attempt) { a.Held = Stamps{math.MaxInt64, math.MaxInt64} }, ClockStep},
	{"stamps at the beginning of time", func(a *Attempt) { a.Held = Stamps{math.MinInt64, math.MinInt64} }, ClockStep},
	{"a clock a day ahead", func(a *Attempt) { a.Held.Received += 864e11; a.Held.Sent += 864e11 }, ClockStep},
	{"a clock an hour behind", func(a *Attempt) { a.Held.Received -= 36e11; a.Held.Sent -= 36e11 }, ClockStep},
}

// good is an answer of a good link: 40 to 44 ms, 625 kB/s, 15 ms of service.
func good(l *Link, now time.Duration, i int) Attempt {
	rtt := 40*time.Millisecond + time.Duration(i%5)*time.Millisecond
	bytes := []int{1000, 60_000}[i%2]
	arrived := now + rtt/2 + seconds(float64(bytes)/625e3)
	left := arrived + 15*time.Millisecond
	return Attempt{
		Sent: now, End: left + rtt/2, Bytes: bytes, AnswerBytes: 150, Service: 15 * time.Millisecond,
		Held: Stamps{Received: 1767225600e9 + int64(arrived), Sent: 1767225600e9 + int64(left)}, Prediction: l.Predict(now, bytes, Ahead{}, 15*time.Millisecond),
	}
}

// One lie in four, for as long as it likes: each is counted under its reason, and what is
// known of the link stays within what the good answers show.
func TestLiesAreCountedAndBoundedInEffect(t *testing.T) {
	for _, lie := range lies {
		t.Run(lie.name, func(t *testing.T) {
			l, now, told := New(), time.Second, uint64(0)
			for i := range 400 {
				a := good(l, now, i)
				now = a.End + 50*time.Millisecond
				// Payloads of both sizes lie.
				if i > 20 && (i%8 == 3 || i%8 == 6) {
					lie.tell(&a)
					told++
				}
				l.AddAnswer(&a)
				if e := l.Estimate(); i > 20 && (e.RTT < 39*time.Millisecond || e.RTT > 45*time.Millisecond || !near(e.Up.BytesPerSecond, 625e3, .1)) {
					t.Fatalf("answer %d: round trip %v, rate %v", i, e.RTT, e.Up.BytesPerSecond)
				}
			}
			e := l.Estimate()
			assert.Equal(t, told, e.Rejected[lie.reason], lie.reason.String())
			for r, n := range e.Rejected {
				if Reason(r) != lie.reason {
					assert.Zero(t, n, Reason(r).String())
				}
			}
			p := l.Predict(now, 60_000, Ahead{}, 15*time.Millisecond)
			if got := p.Quantile(.95); got < 150*time.Millisecond || got > 250*time.Millisecond {
				t.Errorf("95%% bound %v of what takes 155 ms", got)
			}
		})
	}
}

// What cannot be proven wrong is believed, and yet one answer in four moves little.
func TestBelievableLiesMoveLittle(t *testing.T) {
	for name, tell := range map[string]func(a *Attempt){
		"it held all of it":       func(a *Attempt) { a.Service = a.End - a.Sent },
		"it held nothing of it":   func(a *Attempt) { a.Service, a.Held = 0, Stamps{} },
		"it came back in a flash": func(a *Attempt) { a.End, a.Service, a.Held = a.Sent+1, 0, Stamps{} },
		"it took an hour":         func(a *Attempt) { a.Sent -= min(a.Sent, time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			l, now := New(), time.Second
			for i := range 400 {
				a := good(l, now, i)
				now = a.End + 50*time.Millisecond
				if i > 20 && (i%8 == 3 || i%8 == 6) {
					tell(&a)
				}
				l.AddAnswer(&a)
				if e := l.Estimate(); i > 20 && (e.RTT < 35*time.Millisecond || e.RTT > 60*time.Millisecond || !near(e.Up.BytesPerSecond, 625e3, .2)) {
					t.Fatalf("answer %d: round trip %v, rate %v", i, e.RTT, e.Up.BytesPerSecond)
				}
			}
		})
	}
}

func TestProbesThatCannotBeAreCounted(t *testing.T) {
	for _, c := range []struct {
		name   string
		probe  Probe
		reason Reason
	}{
		{"back before it was sent", Probe{Sent: 10 * time.Second, Back: 9 * time.Second}, NegativeInterval},
		{"back at once", Probe{Sent: 10 * time.Second, Back: 10 * time.Second}, NegativeInterval},
		{"held for longer than it was away", Probe{Sent: 10 * time.Second, Back: 10040 * time.Millisecond, Held: Stamps{1, 1e9}}, AbsurdTimestamp},
		{"by another clock", Probe{Sent: 10 * time.Second, Back: 10040 * time.Millisecond, Held: Stamps{1e9, 1e9}}, ClockStep},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPath(40*time.Millisecond, 625e3)
			for range 10 {
				p.probe()
			}
			before := p.l.Estimate()
			p.l.AddProbe(c.probe)
			e := p.l.Estimate()
			assert.Equal(t, uint64(1), e.Rejected[c.reason])
			assert.InDelta(t, ms(before.RTT), ms(e.RTT), .001)
			assert.Equal(t, before.QueueUp, e.QueueUp)
			assert.Equal(t, c.probe.Back, e.Heard, "a sign of life it is")
		})
	}
}

// The transport leaves a service time out that cannot be; it is counted all the same, once.
func TestAnImplausibleServiceTimeIsCountedOnce(t *testing.T) {
	l := New()
	a := good(l, time.Second, 0)
	a.Service, a.Implausible = 0, true
	l.AddAnswer(&a)
	assert.Equal(t, [NumReasons]uint64{ServiceTooLong: 1}, l.Rejected())
	a.Service = time.Hour
	l.AddAnswer(&a)
	assert.Equal(t, [NumReasons]uint64{ServiceTooLong: 2}, l.Rejected())
}

func TestTrainsThatCannotBeAreCounted(t *testing.T) {
	for _, train := range []Train{{Up: 14_000, UpSpread: -1}, {Down: 14_000, DownSpread: math.MinInt64}, {Up: 14_000, UpSpread: time.Millisecond, DownSpread: -1}} {
		l := New()
		l.AddTrain(train)
		e := l.Estimate()
		assert.Equal(t, [NumReasons]uint64{NegativeInterval: 1}, e.Rejected)
		assert.Zero(t, e.Up.BytesPerSecond+e.Down.BytesPerSecond)
	}
}

func TestReasonsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for r := range NumReasons {
		assert.Regexp(t, "^[a-z_]+$", r.String())
		assert.False(t, seen[r.String()], "%v twice", r)
		seen[r.String()] = true
	}
}
