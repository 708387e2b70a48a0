// SPDX-License-Identifier: Apache-2.0

package link

import (
	"testing"
	"time"
)

// busy is a link that has seen everything: probes, trains, answers of each class, attempts
// that were given up and a stall.
func busy() (l *Link, now time.Duration) {
	l = New()
	p := &path{l: l, rtt: 40 * time.Millisecond, up: 625e3, down: 2.5e6, service: 15 * time.Millisecond, stamps: true, jitter: .2}
	p.wait(time.Second)
	for i := range 300 {
		switch i % 8 {
		case 0:
			p.probe()
		case 1:
			p.train(false)
		case 2:
			p.giveUp(30_000, 400*time.Millisecond)
		case 3:
			l.AddProbeLost(p.now)
		case 4:
			p.stalled(20_000, time.Second)
		default:
			p.answer([...]int{2_000, 30_000, 200_000}[i%3])
		}
		p.wait(50 * time.Millisecond)
	}
	return l, p.now
}

func TestNothingAllocates(t *testing.T) {
	l, now := busy()
	attempt := Attempt{
		Bytes: 60_000, AnswerBytes: 20_000, Service: 15 * time.Millisecond, Deadline: 200 * time.Millisecond,
		Socket: Socket{Connection: 1, SegmentsOut: 100},
	}
	var kept Prediction
	var estimate Estimate
	var d time.Duration
	var f float64
	for _, c := range []struct {
		name string
		do   func()
	}{
		{"AddProbe", func() {
			now += 100 * time.Millisecond
			l.AddProbe(Probe{Sent: now - 40*time.Millisecond, Back: now, Held: Stamps{int64(now), int64(now)}})
		}},
		{"AddProbeLost", func() { l.AddProbeLost(now) }},
		{"AddAnswer", func() {
			now += 100 * time.Millisecond
			attempt.Sent, attempt.End, attempt.Prediction = now-50*time.Millisecond, now, kept
			l.AddAnswer(&attempt)
		}},
		{"AddGivenUp", func() {
			now += 100 * time.Millisecond
			attempt.Sent, attempt.End, attempt.Prediction = now-50*time.Millisecond, now, kept
			l.AddGivenUp(&attempt)
		}},
		{"AddTrain", func() {
			now += 100 * time.Millisecond
			l.AddTrain(Train{At: now, Up: 14_000, UpSpread: 20 * time.Millisecond, Down: 14_000, DownSpread: 5 * time.Millisecond})
		}},
		{"Predict", func() { kept = l.Predict(now, 60_000, Ahead{Bytes: 1000}, 15*time.Millisecond) }},
		{"Predict in a stall", func() {
			kept = l.Predict(now, 60_000, Ahead{Oldest: Flight{Left: now - time.Second, Late: 1, Overdue: 2}}, 0)
		}},
		{"By", func() { f = kept.By(200 * time.Millisecond) }},
		{"Quantile", func() { d = kept.Quantile(.93) }},
		{"Estimate", func() { estimate = l.Estimate() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			if n := testing.AllocsPerRun(200, c.do); n != 0 {
				t.Errorf("%v allocations a call", n)
			}
		})
	}
	if f <= 0 || d <= 0 || estimate.RTT <= 0 {
		t.Errorf("By %v, Quantile %v, RTT %v: nothing was worked out", f, d, estimate.RTT)
	}
}

func BenchmarkAddProbe(b *testing.B) {
	l, now := busy()
	b.ReportAllocs()
	for b.Loop() {
		now += 100 * time.Millisecond
		l.AddProbe(Probe{Sent: now - 40*time.Millisecond, Back: now, Held: Stamps{int64(now), int64(now)}})
	}
}

// BenchmarkAddAnswer takes the prediction apart: see BenchmarkPredict.
func BenchmarkAddAnswer(b *testing.B) {
	l, now := busy()
	a := Attempt{Bytes: 60_000, AnswerBytes: 150, Service: 15 * time.Millisecond, Deadline: 200 * time.Millisecond}
	a.Prediction = l.Predict(now, a.Bytes, Ahead{}, a.Service)
	b.ReportAllocs()
	for b.Loop() {
		now += 100 * time.Millisecond
		a.Sent, a.End, a.Prediction.At = now-120*time.Millisecond, now, now-120*time.Millisecond
		l.AddAnswer(&a)
	}
}

func BenchmarkPredict(b *testing.B) {
	l, now := busy()
	b.ReportAllocs()
	for b.Loop() {
		now++
		l.Predict(now, 60_000, Ahead{Bytes: 1000}, 15*time.Millisecond)
	}
}

func BenchmarkPredictStalled(b *testing.B) {
	l, now := busy()
	b.ReportAllocs()
	for b.Loop() {
		now++
		l.Predict(now, 60_000, Ahead{Oldest: Flight{Left: now - time.Second, Late: 1, Overdue: 2}}, 15*time.Millisecond)
	}
}

func BenchmarkBy(b *testing.B) {
	l, now := busy()
	p := l.Predict(now, 60_000, Ahead{}, 15*time.Millisecond)
	b.ReportAllocs()
	for b.Loop() {
		p.By(200 * time.Millisecond)
	}
}

func BenchmarkEstimate(b *testing.B) {
	l, _ := busy()
	b.ReportAllocs()
	for b.Loop() {
		l.Estimate()
	}
}
