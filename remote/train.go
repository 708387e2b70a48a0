// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"edgex-offload/offload/link"
)

const (
	// MaxTrain bounds a train, in bytes each way: with the headers it is about the ten
	// segments that TCP sends at once at first (RFC 6928), so that no acknowledgement is
	// waited for in its midst.
	MaxTrain = 16 << 10
	// carBytes is about one segment; with the headers of gRPC a car fits into one.
	carBytes = 1300
	// firstWindow is what a sender that paces, as BBR does, spreads over a third of the round
	// trip at first.
	firstWindow = 10 * 1448
	bbrStartup  = 2.89 // its gain while it knows nothing (Cardwell et al., 2016)
)

// TrainReply is what a train of messages showed: so many bytes came in the time from the
// first message to the last, which is their rate. No common clock is needed for that.
type TrainReply struct {
	// Up are the bytes of the messages that came in after the first there, and UpSpread is
	// the time in which they did, by the server's clock. Both are 0 where there is no figure.
	Up       int
	UpSpread time.Duration
	// Down and DownSpread are the same of the answers, by this side's clock.
	Down       int
	DownSpread time.Duration
	// UpAtLeast and DownAtLeast: the sender's own pacing, and not the link, may have spread
	// the train; the link carries at least that.
	UpAtLeast, DownAtLeast bool
	// Implausible: the server's clock went back, stepped, or is absurd; Up is 0 then.
	Implausible bool
	// WireBytes is what the train took on the wire, both ways, as in ProbeReply.
	WireBytes int
	// RTT is that of the first answer, the wait behind the train included.
	RTT time.Duration
	// Socket is what the kernel said of the connection right after the train.
	Socket link.Socket
}

// ProbeTrain measures the rates of an idle link: up bytes are sent at once in messages of
// about a packet, and down bytes are asked for in answers of that size, after one another.
// Both are cut to MaxTrain; 0 leaves that way out. Over a link that carries more than a few
// messages in a millisecond the figures are of the machines at its ends. A server that does
// not know Probe gives a reply without figures. The error is an *Error.
func (c *Client) ProbeTrain(ctx context.Context, up, down int) (TrainReply, error) {
	ctx, cancel := c.bounded(ctx, time.Time{})
	defer cancel()
	if err := c.reachable(); err != nil {
		return TrainReply{}, err
	}
	var reply TrainReply
	if cars := carsOf(up); cars > 0 && !c.path.probeless() {
		pace := c.path.pacing()
		train, err := c.train(ctx, cars, min(up, MaxTrain)/cars, 0)
		if err != nil {
			return TrainReply{}, err
		}
		reply.readUp(train, pace)
	}
	if cars := carsOf(down); cars > 0 && !c.path.probeless() {
		train, err := c.train(ctx, cars, 0, min(down, MaxTrain)/cars)
		if err != nil {
			return TrainReply{}, err
		}
		reply.readDown(train)
	}
	reply.Socket = c.Socket()
	return reply, nil
}

// carsOf is how many messages so many bytes take; two are the least that have a spread.
func carsOf(bytes int) int {
	if bytes <= 0 {
		return 0
	}
	return max(2, (min(bytes, MaxTrain)+carBytes-1)/carBytes)
}

// car is one message of a train that came back.
type car struct {
	received int64         // the server's clock, in Unix nanoseconds
	arrived  time.Duration // of the answer, since the train's start
	up, down int           // bytes of the message and of its answer
}

// train sends its messages at once and waits for all of them. The cars are none where the
// server does not know Probe.
func (c *Client) train(ctx context.Context, cars, up, down int) ([]car, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		running sync.WaitGroup
		mu      sync.Mutex
		train   []car
		first   error
	)
	start := time.Now()
	for range cars {
		running.Go(func() {
			car, err := c.car(ctx, start, up, down)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				train = append(train, car)
			} else if first == nil {
				first = err
				cancel()
			}
		})
	}
	running.Wait()
	switch {
	case first == nil:
		return train, nil
	case errors.Is(first, errProbeless):
		return nil, nil
	default:
		return nil, first
	}
}

func (c *Client) car(ctx context.Context, start time.Time, up, down int) (car, error) {
	call := newCall(start)
	response, err := c.callProbe(ctx, call, up, down)
	if err != nil {
		return car{}, err
	}
	return car{
		received: response.GetReceivedUnixNano(),
		arrived:  time.Duration(call.endedAt.Load()),
		up:       int(call.out.Load()) + frameHeader,
		down:     int(call.in.Load()) + frameHeader,
	}, nil
}

// readUp takes the way there out of a train that was sent at a pace of bytes per second.
func (r *TrainReply) readUp(train []car, pace float64) {
	if len(train) == 0 {
		return
	}
	r.count(train)
	r.RTT = firstArrival(train)
	slices.SortFunc(train, func(a, b car) int { return cmp.Compare(a.received, b.received) })
	first, last := train[0].received, train[len(train)-1].received
	if first == 0 && last == 0 {
		return // not reported
	}
	// What lies apart by more than the whole took was not read off one steady clock. first
	// is positive then, so that the difference does not overflow.
	if first <= 0 || last-first > lastArrival(train).Nanoseconds() {
		r.Implausible = true
		return
	}
	if spread := time.Duration(last - first); spread > 0 {
		for _, c := range train[1:] {
			r.Up += c.up
		}
		r.UpSpread = spread
		r.UpAtLeast = limitedBy(r.Up, spread, pace)
	}
}

func (r *TrainReply) count(train []car) {
	for _, c := range train {
		r.WireBytes += c.up + c.down
	}
}

// readDown takes the way back out of a train.
func (r *TrainReply) readDown(train []car) {
	if len(train) == 0 {
		return
	}
	r.count(train)
	if r.RTT == 0 {
		r.RTT = firstArrival(train)
	}
	slices.SortFunc(train, func(a, b car) int { return cmp.Compare(a.arrived, b.arrived) })
	spread := lastArrival(train) - firstArrival(train)
	if spread <= 0 {
		return
	}
	for _, c := range train[1:] {
		r.Down += c.down
	}
	r.DownSpread = spread
	r.DownAtLeast = limitedBy(r.Down, spread, bbrStartup*firstWindow/max(firstArrival(train), time.Microsecond).Seconds())
}

// limitedBy tells whether a rate is so near to the sender's pace that it may be nothing else.
func limitedBy(bytes int, spread time.Duration, pace float64) bool {
	const near = 0.7
	return pace > 0 && float64(bytes)/spread.Seconds() > near*pace
}

func firstArrival(train []car) time.Duration {
	return slices.MinFunc(train, func(a, b car) int { return cmp.Compare(a.arrived, b.arrived) }).arrived
}

func lastArrival(train []car) time.Duration {
	return slices.MaxFunc(train, func(a, b car) int { return cmp.Compare(a.arrived, b.arrived) }).arrived
}
