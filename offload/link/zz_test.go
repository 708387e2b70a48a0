package link

import (
	"fmt"
	"testing"
	"time"
)

func TestZZ(t *testing.T) {
	// fast link, no probes: false clock steps?
	for _, up := range []float64{100e3, 625e3, 8.75e6} {
		p := newPath(5*time.Millisecond, up)
		p.jitter = .1
		for i := range 40 {
			p.answer([]int{200_000, 60_000, 2000}[i%3])
			p.wait(50 * time.Millisecond)
		}
		e := p.l.Estimate()
		fmt.Println("up", up, e.Rejected, e.QueueUp, e.Up.BytesPerSecond)
		p.up *= 4
		for i := range 40 {
			p.answer([]int{200_000, 60_000, 2000}[i%3])
			p.wait(50 * time.Millisecond)
			if i%10 == 5 {
				fmt.Println("  q", p.l.Estimate().QueueUp)
			}
		}
		e = p.l.Estimate()
		fmt.Println("up*4", up, e.Rejected, e.QueueUp, e.Up.BytesPerSecond)
	}
	// queue at the start
	p := newPath(50*time.Millisecond, 625e3)
	p.queue = time.Second
	p.probe()
	p.queue = 0
	p.probe()
	fmt.Println("queue first", p.l.Estimate().Rejected)
	// drift
	p = newPath(3*time.Millisecond, 8e6)
	p.drift = 100e-6
	for range 600 {
		p.probe()
		p.wait(time.Second)
	}
	fmt.Println("drift", p.l.Estimate().Rejected, p.l.Estimate().QueueUp)
	// large answers to small payloads
	p = newPath(50*time.Millisecond, 625e3)
	for range 20 {
		p.answers(1000, 100_000)
		p.wait(time.Second)
	}
	fmt.Println("large answers", p.l.Estimate().RTT, p.l.Estimate().Down)
	// always behind, link gets 10 times as fast
	p = newPath(50*time.Millisecond, 100e3)
	for range 20 {
		p.answer(30000)
	}
	p.up = 1e6
	for range 100 {
		p.behind(30000, 150, 30000)
	}
	fmt.Println("behind", p.l.Estimate().Up)
	// given up
	p = newPath(50*time.Millisecond, 625e3)
	p.jitter = 1
	worst := 0.
	for i := range 500 {
		p.answer(30000)
		before := p.l.Predict(p.now, 30000, Ahead{}, p.service)
		a := Attempt{Sent: p.now, End: p.now + before.Quantile(.5+.005*float64(i%100)), Prediction: before, Bytes: 30000}
		p.l.AddGivenUp(&a)
		after := p.l.Predict(p.now, 30000, Ahead{}, p.service)
		for k := range levels {
			if r := after.bounds[k] / before.bounds[k]; r < 1-worst {
				worst = 1 - r
				fmt.Println("lower", i, levelOf[k], r)
			}
		}
	}
}
