// SPDX-License-Identifier: Apache-2.0

package link

import (
	"math"
	"math/rand/v2"
	"time"
)

// path is a link whose truth is known: a round trip, rates, a server with a clock of its
// own. Everything that happens on it is told to the estimate l.
type path struct {
	l   *Link
	now time.Duration
	rng *rand.Rand

	rtt      time.Duration
	up, down float64 // bytes per second
	// queue delays whatever goes up.
	queue time.Duration
	// jitter is added to each round trip: from 0 up to this share of rtt.
	jitter float64

	// service is the time at the target; told is what it says instead, if that is not 0.
	service, told time.Duration
	// stamps: the target tells its clock, which is off by offset and runs fast by drift.
	stamps bool
	offset int64
	drift  float64
	socket Socket
}

func newPath(rtt time.Duration, up float64) *path {
	return &path{
		l: New(), now: time.Second, rng: rand.New(rand.NewPCG(1, 2)), rtt: rtt, up: up, down: up, service: 15 * time.Millisecond,
		stamps: true, offset: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano(),
	}
}

func (p *path) wait(d time.Duration) { p.now += d }

// trip is one round trip, half of it each way.
func (p *path) trip() time.Duration {
	if p.rng == nil {
		p.rng = rand.New(rand.NewPCG(1, 2))
	}
	return time.Duration(float64(p.rtt) * (1 + p.jitter*p.rng.Float64()))
}

// clock is what the target's clock shows at a time.
func (p *path) clock(at time.Duration) int64 {
	if !p.stamps {
		return 0
	}
	return p.offset + int64(at) + int64(p.drift*float64(at))
}

// probe sends one and waits until it is back.
func (p *path) probe() {
	sent, trip := p.now, p.trip()
	arrived := sent + p.queue + trip/2
	p.now = sent + p.queue + trip
	p.l.AddProbe(Probe{Sent: sent, Back: p.now, Held: Stamps{p.clock(arrived), p.clock(arrived)}, Socket: p.socket})
}

// answer sends a payload and waits for its answer of 150 bytes.
func (p *path) answer(bytes int) { p.answers(bytes, 150) }

func (p *path) answers(bytes, answerBytes int) { p.behind(bytes, answerBytes, 0) }

// behind sends a payload while others of so many bytes have not left yet.
func (p *path) behind(bytes, answerBytes int, behind float64) {
	sent, trip := p.now, p.trip()
	prediction := p.l.Predict(sent, bytes, Ahead{Bytes: behind}, p.service)
	arrived := sent + p.queue + trip/2 + seconds((behind+float64(bytes))/p.up)
	p.now = arrived + p.service + seconds(float64(answerBytes)/p.down) + trip/2
	told := p.service
	if p.told != 0 {
		told = p.told
	}
	p.l.AddAnswer(&Attempt{
		Sent: sent, End: p.now, Bytes: bytes, AnswerBytes: answerBytes, Behind: behind, Service: told, Socket: p.socket,
		Held: Stamps{p.clock(arrived), p.clock(arrived + p.service)}, Prediction: prediction, Deadline: 200 * time.Millisecond,
	})
}

// giveUp sends a payload that nobody waits for any more after a while.
func (p *path) giveUp(bytes int, after time.Duration) {
	sent := p.now
	prediction := p.l.Predict(sent, bytes, Ahead{}, p.service)
	p.now += after
	p.l.AddGivenUp(&Attempt{Sent: sent, End: p.now, Bytes: bytes, Prediction: prediction, Deadline: after / 2})
}

// stalled sends a payload while the oldest message has been overdue for so long.
func (p *path) stalled(bytes int, age time.Duration) {
	sent := p.now
	prediction := p.l.Predict(sent, bytes, Ahead{Oldest: Flight{Left: sent - age, Late: 1, Overdue: 2}}, p.service)
	p.now += age + p.rtt
	p.l.AddAnswer(&Attempt{Sent: sent, End: p.now, Bytes: bytes, Prediction: prediction})
}

// train sends one each way.
func (p *path) train(atLeast bool) {
	const bytes = 14_000
	up, down := seconds(bytes/p.up), seconds(bytes/p.down)
	p.now += p.trip() + up + down
	p.l.AddTrain(Train{At: p.now, Up: bytes, UpSpread: up, UpAtLeast: atLeast, Down: bytes, DownSpread: down, DownAtLeast: atLeast, Socket: p.socket})
}

func near(got, want, tolerance float64) bool { return math.Abs(got-want) <= tolerance*math.Abs(want) }

func ms(d time.Duration) float64 { return d.Seconds() * 1e3 }
