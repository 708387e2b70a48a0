// SPDX-License-Identifier: Apache-2.0

package link

import (
	"encoding/binary"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// deeds is what somebody may do to a link, drawn from rapid or from a fuzzer's bytes.
type deeds interface {
	number() int64    // any, with a liking for the extremes
	choice(n int) int // 0 to n-1
}

type drawn struct{ t *rapid.T }

func (d drawn) number() int64 {
	return rapid.OneOf(rapid.SampledFrom(extremes), rapid.Int64(), rapid.Int64Range(-1e9, 1e9)).Draw(d.t, "number")
}

func (d drawn) choice(n int) int { return rapid.IntRange(0, n-1).Draw(d.t, "choice") }

var extremes = []int64{
	0, 1, -1, math.MinInt64, math.MaxInt64, math.MinInt64 + 1, math.MaxInt64 / 2, math.MinInt64 / 2,
	1e9, -1e9, 1e18, 1767225600e9,
}

type fuzzed struct{ data []byte }

func (f *fuzzed) byte() byte {
	if len(f.data) == 0 {
		return 0
	}
	b := f.data[0]
	f.data = f.data[1:]
	return b
}

func (f *fuzzed) number() int64 {
	b := int(f.byte())
	if b < len(extremes) {
		return extremes[b]
	}
	var n [8]byte
	f.data = f.data[copy(n[:], f.data):]
	return int64(binary.LittleEndian.Uint64(n[:])) >> (b % 64)
}

func (f *fuzzed) choice(n int) int { return int(f.byte()) % n }

// size is what our own side counts: anything, but not below zero.
func size(d deeds) int { return max(0, int(d.number())) }

// hostile does one thing to a link that no good peer and no good clock would. What the
// engine itself says holds: its times do not go back, and its sizes are some.
func hostile(l *Link, d deeds, now time.Duration) {
	stamps := Stamps{Received: d.number(), Sent: d.number()}
	socket := Socket{Connection: uint64(d.choice(3)), SegmentsOut: uint64(d.number()), Retransmits: uint64(d.number()), RTT: time.Duration(d.number()), DeliveryRate: float64(d.number())}
	sent := now - time.Duration(d.number()) // before, after, or beyond what fits
	switch d.choice(6) {
	case 0:
		l.AddProbe(Probe{Sent: sent, Back: now, Behind: d.choice(2) == 0, Held: stamps, Socket: socket})
	case 1, 2:
		bytes := size(d)
		a := Attempt{
			Sent: sent, End: now, Bytes: bytes, AnswerBytes: size(d), Behind: float64(size(d)),
			Service: time.Duration(d.number()), Held: stamps, Socket: socket, Deadline: time.Duration(d.number()),
			Prediction: l.Predict(max(0, now-time.Duration(d.choice(5))*time.Second), bytes, Ahead{Bytes: float64(size(d))}, time.Duration(size(d))),
		}
		if d.choice(2) == 0 {
			l.AddAnswer(&a)
		} else {
			l.AddGivenUp(&a)
		}
	case 3:
		l.AddTrain(Train{
			At: now, Up: size(d), UpSpread: time.Duration(d.number()), UpAtLeast: d.choice(2) == 0,
			Down: size(d), DownSpread: time.Duration(d.number()), DownAtLeast: d.choice(2) == 0, Socket: socket,
		})
	case 4:
		l.AddProbeLost(now)
		l.ProbeReturned()
		l.ProbeReturned()
	case 5:
		l.SignOfLife(sent)
	}
}

// sound tells what is wrong with all that can be asked of a link; "" when nothing is.
func sound(l *Link, now time.Duration) string {
	e := l.Estimate()
	for name, d := range map[string]time.Duration{
		"RTT": e.RTT, "RTTVar": e.RTTVar, "MinRTT": e.MinRTT, "StdDev": e.Jitter.StdDev, "MAD": e.Jitter.MAD,
		"RFC3550": e.Jitter.RFC3550, "Spread": e.Jitter.Spread, "QueueUp": e.QueueUp, "RTT in use": l.RTT(),
		"Transfer": l.Transfer(1e6), "TransferDown": l.TransferDown(1e6), "Jitter": l.Jitter(), "SteadyJitter": l.SteadyJitter(),
	} {
		if d < 0 || d > 1e9*time.Second {
			return name + " " + d.String()
		}
	}
	if p := l.Patience(); p < 100*time.Millisecond || p > 2*time.Second {
		return "Patience " + p.String()
	}
	rates := append([]float64{e.Up.BytesPerSecond, e.Down.BytesPerSecond, l.UpRate()}, e.UpByClass[:]...)
	for _, r := range rates {
		if !(r >= 0 && r <= 1.001/leastPerByte) {
			return "a rate that is none"
		}
	}
	for _, share := range []float64{e.Loss, e.Calibration.Held95, e.Calibration.Error, e.Calibration.Brier} {
		if !(share >= 0 && share <= 1) {
			return "a share that is none"
		}
	}
	for _, a := range []Ahead{{}, {Bytes: 1e6}, {Oldest: Flight{Left: now - 300*time.Millisecond, Late: 1, Overdue: time.Second}}, {Oldest: Flight{Left: now - time.Hour, Late: 1, Overdue: 2}}} {
		for _, bytes := range []int{0, 20_000, 60_000, math.MaxInt} {
			p := l.Predict(now, bytes, a, 20*time.Millisecond)
			if wrong := sane(&p); wrong != "" {
				return wrong
			}
			if by := p.By(time.Second); !(by >= 0 && by <= 1) {
				return "a probability that is none"
			}
		}
	}
	return ""
}

func abuse(d deeds, fatal func(format string, args ...any)) {
	l, now := New(), time.Second
	for range 1 + d.choice(40) {
		hostile(l, d, now)
		if wrong := sound(l, now); wrong != "" {
			fatal("%s after %+v", wrong, l.Estimate())
			return
		}
		now += [...]time.Duration{0, 1, time.Second, time.Hour}[d.choice(4)]
	}
}

func TestNothingBreaksALink(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) { abuse(drawn{rt}, rt.Fatalf) })
}

func FuzzHostile(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x20\x03\x04\x01\x05\x05\x05\x05\x01\x03\x04\x03\x04\x03\x04\x03\x04\x03\x04"))
	for deed := range byte(6) {
		seed := []byte{40}
		for i := range byte(200) {
			seed = append(seed, i%13, deed)
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) { abuse(&fuzzed{data}, t.Fatalf) })
}
