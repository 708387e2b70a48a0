// SPDX-License-Identifier: Apache-2.0

package tun

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"edgex-offload/standalone/emulator"
)

const (
	up   = emulator.Up
	down = emulator.Down
)

// script is a link that does something else in each slot, and stays as in the last.
type script []emulator.Conditions

func (s *script) Next() emulator.Conditions {
	c := (*s)[0]
	if len(*s) > 1 {
		*s = (*s)[1:]
	}
	return c
}

// arrival is a packet that came out of the link.
type arrival struct {
	at     time.Duration
	number int
}

// rig drives a link on virtual time, by nothing but what its wake says.
type rig struct {
	*link
	now      time.Duration
	offered  int
	arrivals [2][]arrival
}

func newRig(o Options) *rig {
	if err := o.check(); err != nil {
		panic(err)
	}
	return &rig{link: newLink(o)}
}

// send offers a packet of a length at a time.
func (b *rig) send(at time.Duration, d emulator.Direction, length int) {
	b.until(at)
	data := make([]byte, length)
	data[0] = 4 << 4
	data[1], data[2] = byte(b.offered>>8), byte(b.offered)
	b.offered++
	b.offer(at, d, data)
}

func (b *rig) until(end time.Duration) {
	for {
		wake := b.wake(b.now)
		if wake > end {
			b.now = end
			return
		}
		b.now = max(wake, b.now)
		for _, d := range []emulator.Direction{up, down} {
			for p, ok := b.due(b.now, d); ok; p, ok = b.due(b.now, d) {
				b.arrivals[d] = append(b.arrivals[d], arrival{p.arrives, int(p.data[1])<<8 | int(p.data[2])})
				b.done(d, p, b.now-p.arrives, true)
			}
		}
	}
}

func (b *rig) all(d emulator.Direction) []arrival { b.until(b.now + time.Hour); return b.arrivals[d] }

func TestSchedule(t *testing.T) {
	type sent struct {
		at     time.Duration
		length int
	}
	fast := func(rtt time.Duration) emulator.Conditions { return emulator.Conditions{RTT: rtt, UpBps: 1e6} }
	out := emulator.Conditions{Loss: 1}
	for _, c := range []struct {
		name    string
		source  script
		options Options
		sent    []sent
		want    []arrival
		dropped map[Reason]uint64
	}{
		{
			name:   "a packet takes its length over the rate and half of the RTT",
			source: script{fast(40 * ms)}, sent: []sent{{3 * ms, 1000}},
			want: []arrival{{3*ms + 1*ms + 20*ms, 0}},
		},
		{
			name:   "packets leave one after the other",
			source: script{fast(40 * ms)}, sent: []sent{{0, 1000}, {0, 500}, {10 * ms, 1000}},
			want: []arrival{{21 * ms, 0}, {21*ms + 500*time.Microsecond, 1}, {31 * ms, 2}},
		},
		{
			name:   "what is leaving goes on at the next slot's rate",
			source: script{{UpBps: 1e4}, {UpBps: 1e5}}, sent: []sent{{0, 1000}},
			want: []arrival{{50*ms + 5*ms, 0}},
		},
		{
			name:   "a rate of 0 holds",
			source: script{fast(0), {}, {UpBps: math.NaN()}, {UpBps: -1}, fast(0)}, sent: []sent{{49*ms + 500*time.Microsecond, 1000}, {120 * ms, 1000}},
			want: []arrival{{200*ms + 500*time.Microsecond, 0}, {201*ms + 500*time.Microsecond, 1}},
		},
		{
			name:   "no rate limit",
			source: script{{RTT: 2 * ms, UpBps: math.Inf(1)}}, sent: []sent{{0, 1000}, {0, 1000}},
			want: []arrival{{1 * ms, 0}, {1 * ms, 1}},
		},
		{
			name:   "a falling RTT keeps the order",
			source: script{fast(200 * ms), fast(20 * ms)}, sent: []sent{{40 * ms, 1000}, {60 * ms, 1000}, {140 * ms, 1000}},
			want: []arrival{{141 * ms, 0}, {141 * ms, 1}, {151 * ms, 2}},
		},
		{
			name:   "an outage drops what waits and what comes, and lets go what has left",
			source: script{{RTT: 100 * ms, UpBps: 1e4}, out, fast(0)}, sent: []sent{{0, 400}, {0, 400}, {60 * ms, 400}, {100 * ms, 1000}},
			want:    []arrival{{90 * ms, 0}, {101 * ms, 3}},
			dropped: map[Reason]uint64{Outage: 2},
		},
		{
			name:   "an outage that holds",
			source: script{{RTT: 100 * ms, UpBps: 1e4}, out, fast(0)}, sent: []sent{{0, 400}, {0, 400}, {60 * ms, 1000}},
			options: Options{HoldOutages: true},
			want:    []arrival{{90 * ms, 0}, {100*ms + 300*time.Microsecond, 1}, {101*ms + 300*time.Microsecond, 2}},
		},
		{
			name:   "a full queue drops at its tail",
			source: script{{UpBps: 1e5}}, sent: []sent{{0, 1000}, {0, 1000}, {5 * ms, 20}, {5 * ms, 1000}, {10 * ms, 1000}},
			options: Options{QueueBytes: 2000},
			want:    []arrival{{10 * ms, 0}, {20 * ms, 1}, {30 * ms, 4}},
			dropped: map[Reason]uint64{QueueFull: 2},
		},
		{
			name:   "a reordered packet does not hold up the others",
			source: script{fast(40 * ms)}, sent: []sent{{0, 1000}, {0, 1000}},
			options: Options{Reorder: 1, ReorderDelay: 5 * ms},
			want:    []arrival{{26 * ms, 0}, {27 * ms, 1}},
		},
		{
			name:   "what is no IPv4 packet of the MTU",
			source: script{fast(0)}, sent: []sent{{0, MTU + 1}, {0, MTU}},
			want:    []arrival{{1500 * time.Microsecond, 1}},
			dropped: map[Reason]uint64{Oversize: 1},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.options.Source = &c.source
			b := newRig(c.options)
			for _, s := range c.sent {
				b.send(s.at, up, s.length)
			}
			assert.Equal(t, c.want, b.all(up))
			assert.Empty(t, b.all(down))
			got := b.counters(b.now)[up]
			for reason := range NumReasons {
				assert.Equal(t, c.dropped[reason], got.Dropped[reason], reason)
			}
			assert.Zero(t, got.Late.Max)
		})
	}
}

func TestDirectionsHaveRatesOfTheirOwn(t *testing.T) {
	b := newRig(Options{Source: steady{UpBps: 1e6, DownBps: 1e5}})
	b.send(0, down, 1000)
	b.send(0, up, 1000)
	assert.Equal(t, []arrival{{1 * ms, 1}}, b.all(up))
	assert.Equal(t, []arrival{{10 * ms, 0}}, b.all(down))
}

func TestDefaultQueueIsAQuarterSecond(t *testing.T) {
	for _, c := range []struct {
		rate float64
		want uint64 // packets of 1000 bytes
	}{{1e5, defaultQueueBytes / 1000}, {4e6, 1000}} {
		b := newRig(Options{Source: steady{UpBps: c.rate}})
		for range 2000 {
			b.send(0, up, 1000)
		}
		assert.Equal(t, 2000-c.want, b.counters(0)[up].Dropped[QueueFull])
	}
}

func TestOnTheWayIsBounded(t *testing.T) {
	b := newRig(Options{Source: steady{RTT: time.Hour, UpBps: math.Inf(1)}})
	for range maxPackets + 7 {
		b.send(0, up, 20)
	}
	c := b.counters(0)[up]
	assert.EqualValues(t, 7, c.Dropped[Overflow])
	assert.Equal(t, maxPackets, c.WaitingPackets+c.OnTheWay)
}

// lostOf are the numbers of the packets of n that do not arrive.
func lostOf(seed int64, n int, loss float64) []int {
	b := newRig(Options{Source: steady{UpBps: math.Inf(1), Loss: loss}, Seed: seed})
	for range n {
		b.send(0, up, 100)
	}
	arrived := map[int]bool{}
	for _, a := range b.all(up) {
		arrived[a.number] = true
	}
	var lost []int
	for i := range n {
		if !arrived[i] {
			lost = append(lost, i)
		}
	}
	return lost
}

func TestLossIsAsOftenAsTheSourceSaysAndTheSameForTheSameSeed(t *testing.T) {
	const n, loss = 10000, .1
	lost := lostOf(1, n, loss)
	// Five standard deviations of a binomial distribution.
	assert.InDelta(t, n*loss, len(lost), 5*math.Sqrt(n*loss*(1-loss)))
	assert.Equal(t, lost, lostOf(1, n, loss))
	assert.NotEqual(t, lost, lostOf(2, n, loss))
}

func TestReorderingIsAsOftenAsAsked(t *testing.T) {
	const n, share = 10000, .05
	b := newRig(Options{Source: steady{UpBps: 1e6}, Reorder: share})
	for i := range n {
		b.send(time.Duration(i)*ms, up, 1000)
	}
	inverted := 0
	arrivals := b.all(up)
	for i := 1; i < n; i++ {
		if arrivals[i].number < arrivals[i-1].number {
			inverted++
		}
	}
	assert.InDelta(t, n*share, b.counters(b.now)[up].Reordered, 5*math.Sqrt(n*share))
	assert.InDelta(t, n*share, inverted, .25*n*share, "10 ms late are 10 packets; neighbours may be late together")
}

func TestChangesBeginWithASlot(t *testing.T) {
	b := newRig(Options{Source: steady{UpBps: 1}})
	cut := func(t *timeline) { t.cut = true }
	assert.Equal(t, 50*ms, b.change(0, cut))
	assert.Equal(t, 150*ms, b.change(149*ms, func(t *timeline) { t.cut, t.source = false, steady{UpBps: 2} }))
	assert.Equal(t, emulator.Conditions{UpBps: 2}, b.advance(150*ms))
	for _, c := range []struct {
		at   time.Duration
		want emulator.Conditions
	}{
		{0, emulator.Conditions{UpBps: 1}},
		{50*ms - 1, emulator.Conditions{UpBps: 1}},
		{50 * ms, emulator.Conditions{UpBps: 1, Loss: 1}},
		{149 * ms, emulator.Conditions{UpBps: 1, Loss: 1}},
		{150 * ms, emulator.Conditions{UpBps: 2}},
		{time.Hour, emulator.Conditions{UpBps: 2}},
		{-time.Hour, emulator.Conditions{UpBps: 1}},
	} {
		assert.Equal(t, c.want, b.timeline.at(c.at), c.at)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	b := newRig(Options{Source: emulator.Trace{Slots: []emulator.Conditions{{UpBps: 1}, {UpBps: 2}, {UpBps: 3}}}.Start()})
	const day = 24 * time.Hour
	b.advance(day)
	assert.Less(t, len(b.timeline.slots), maxHistory)
	for at := day - 2*time.Hour; at <= day; at += 7 * time.Minute {
		assert.InDelta(t, 1+int(at/emulator.Slot)%3, b.timeline.at(at).UpBps, 0, at)
	}
}

// TestLaws holds for any link and any traffic.
func TestLaws(t *testing.T) {
	conditions := rapid.Custom(func(t *rapid.T) emulator.Conditions {
		return emulator.Conditions{
			RTT:   time.Duration(rapid.Int64Range(0, int64(300*ms)).Draw(t, "rtt")),
			UpBps: rapid.SampledFrom([]float64{0, 1e3, 3e4, 1e6, 1e8, math.Inf(1)}).Draw(t, "up"),
			Loss:  rapid.SampledFrom([]float64{0, 0, .2, 1}).Draw(t, "loss"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		slots := rapid.SliceOfN(conditions, 1, 20).Draw(t, "slots")
		slots = append(slots, emulator.Conditions{RTT: ms, UpBps: 1e6}) // so that all arrives in the end
		o := Options{
			Seed: rapid.Int64().Draw(t, "seed"), QueueBytes: rapid.SampledFrom([]int{0, MTU, 10000}).Draw(t, "queue"),
			HoldOutages: rapid.Bool().Draw(t, "hold"), Reorder: rapid.SampledFrom([]float64{0, .3}).Draw(t, "reorder"),
		}
		begin := func() *rig {
			s := script(slices.Clone(slots))
			o := o
			o.Source = &s
			return newRig(o)
		}
		b, often := begin(), begin()
		var sentAt []time.Duration
		at := time.Duration(0)
		for range rapid.IntRange(1, 100).Draw(t, "packets") {
			at += time.Duration(rapid.Int64Range(0, int64(20*ms)).Draw(t, "gap"))
			length := rapid.IntRange(20, MTU).Draw(t, "length")
			sentAt = append(sentAt, at)
			b.send(at, up, length)
			for x := often.now; x < at; x += time.Duration(rapid.Int64Range(int64(ms), int64(30*ms)).Draw(t, "look")) {
				often.until(x)
				often.advance(x)
			}
			often.send(at, up, length)
			c := b.counters(at)[up]
			require.LessOrEqual(t, c.WaitingBytes, max(o.QueueBytes, 25e6))
			require.Equal(t, c.CamePackets, c.ArrivedPackets+dropped(c)+uint64(c.WaitingPackets+c.OnTheWay), "every packet is somewhere")
		}
		arrivals := b.all(up)
		require.Equal(t, arrivals, often.all(up), "the schedule does not depend on when one looks")
		c := b.counters(b.now)[up]
		require.Zero(t, c.WaitingPackets+c.OnTheWay+c.WaitingBytes)
		require.Equal(t, c.CamePackets, c.ArrivedPackets+dropped(c))
		require.Zero(t, c.Late.Max, "wake is never after an arrival")
		for i, a := range arrivals {
			require.GreaterOrEqual(t, a.at, sentAt[a.number])
			if i > 0 && o.Reorder == 0 {
				require.Greater(t, a.number, arrivals[i-1].number, "in order")
			}
		}
	})
}

func dropped(c Counters) (n uint64) {
	for _, d := range c.Dropped {
		n += d
	}
	return n
}

func TestOptionsAreChecked(t *testing.T) {
	good := Options{Source: steady{}}
	for name, c := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"no source":      {func(o *Options) { o.Source = nil }, "Source: nil"},
		"queue":          {func(o *Options) { o.QueueBytes = 1499 }, "QueueBytes: 1499: allowed is 0 or 1500 to 67108864"},
		"large queue":    {func(o *Options) { o.QueueBytes = maxQueueBytes + 1 }, "QueueBytes"},
		"reorder":        {func(o *Options) { o.Reorder = 1.5 }, "Reorder: 1.5: allowed is 0 to 1"},
		"reorder, NaN":   {func(o *Options) { o.Reorder = math.NaN() }, "Reorder: NaN"},
		"reordering ago": {func(o *Options) { o.ReorderDelay = -1 }, "ReorderDelay: -1ns: allowed is 0 to 10s"},
	} {
		t.Run(name, func(t *testing.T) {
			o := good
			c.change(&o)
			_, err := New(o)
			assert.ErrorContains(t, err, c.want)
		})
	}
	assert.NoError(t, good.check())
}

func TestQuantileOfLatenessIsExactToAQuarter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l Lateness
		values := rapid.SliceOfN(rapid.Int64Range(0, int64(10*time.Minute)), 1, 200).Draw(t, "values")
		for _, v := range values {
			l.add(time.Duration(v))
		}
		slices.Sort(values)
		q := rapid.Float64Range(0, 1).Draw(t, "q")
		exact := time.Duration(values[max(int(math.Ceil(q*float64(len(values))))-1, 0)])
		got := l.Quantile(q)
		require.GreaterOrEqual(t, got, exact)
		require.LessOrEqual(t, got, exact+exact/4+1)
	})
	assert.Zero(t, new(Lateness).Quantile(.5))
}

func TestReasonsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for r := range NumReasons {
		require.NotEmpty(t, r.String())
		seen[r.String()] = true
	}
	assert.Len(t, seen, int(NumReasons))
}
