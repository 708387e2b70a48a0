// SPDX-License-Identifier: Apache-2.0

package driver

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	sdkmodels "github.com/edgexfoundry/device-sdk-go/v3/pkg/models"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/models"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"edgex-offload/device-service/source"
)

type quiet struct{}

func (quiet) Infof(string, ...any) {}
func (quiet) Warnf(string, ...any) {}

// bus stands for the SDK: it takes values and counts those that it sent.
type bus struct {
	async chan *sdkmodels.AsyncValues
	sent  atomic.Int64
	taken []string
}

func (b *bus) publisher(o *outbox) *publisher {
	return &publisher{
		outbox: o, async: b.async, sent: b.sent.Load, log: quiet{}, fails: map[lane]int{},
		known: func(device, _ string) bool { return device != "gone" },
	}
}

// tally keeps how deliveries were settled.
type tally struct {
	mu     sync.Mutex
	counts map[source.Reason]int
}

func newTally() *tally { return &tally{counts: map[source.Reason]int{}} }

func (c *tally) settle(r source.Reason) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[r]++
}

func (c *tally) of(r source.Reason) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts[r]
}

func (c *tally) delivery(device, text string) delivery {
	return delivery{
		device: device, resource: "Text", valueType: "String", sample: source.Sample{Value: text, Captured: time.Now()},
		settle: c.settle,
	}
}

// serve takes values until ctx ends; sends says whether one is sent.
func (b *bus) serve(ctx context.Context, sends func(device string) bool) {
	for {
		select {
		case v := <-b.async:
			b.taken = append(b.taken, v.CommandValues[0].Value.(string))
			if sends(v.DeviceName) {
				time.Sleep(time.Millisecond)
				b.sent.Add(1)
			}
		case <-ctx.Done():
			return
		}
	}
}

func TestThePublisherKeepsOrderAndTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		b, o, c := &bus{async: make(chan *sdkmodels.AsyncValues, 1)}, newOutbox(), newTally()
		for _, text := range []string{"1", "2", "3"} {
			o.put(c.delivery("a", text))
		}
		o.put(c.delivery("b", "x"))
		o.put(c.delivery("gone", "y"))
		go b.publisher(o).run(ctx)
		go b.serve(ctx, func(string) bool { return true })
		time.Sleep(time.Second)
		synctest.Wait()
		cancel()
		synctest.Wait()
		assert.Equal(t, []string{"3", "x"}, b.taken)
		assert.Equal(t, map[source.Reason]int{source.Superseded: 2, "": 2, source.DeviceGone: 1}, c.counts)
	})
}

func TestAStuckBusIsAskedRarelyAndHoldsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		b, o, c := &bus{async: make(chan *sdkmodels.AsyncValues, 1)}, newOutbox(), newTally()
		var mended atomic.Bool
		go b.publisher(o).run(ctx)
		go b.serve(ctx, func(string) bool { return mended.Load() })
		tick := func(n int) {
			for range n {
				o.put(c.delivery("a", "x"))
				time.Sleep(100 * time.Millisecond)
			}
			synctest.Wait()
		}
		tick(6000) // ten minutes
		assert.LessOrEqual(t, len(b.taken), 105, "one in 6 s, of which an MQTT client gives up one in 5 s")
		assert.Zero(t, c.of(""))
		assert.Greater(t, c.of(source.Superseded), 5800)

		mended.Store(true)
		tick(60 + 50)
		assert.GreaterOrEqual(t, c.of(""), 50, "it goes on within 6 s")
		cancel()
		synctest.Wait()
	})
}

func TestADeviceWhoseEventsGetLostDoesNotHoldTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		b, o, good, bad := &bus{async: make(chan *sdkmodels.AsyncValues, 1)}, newOutbox(), newTally(), newTally()
		go b.publisher(o).run(ctx)
		go b.serve(ctx, func(device string) bool { return device == "good" })
		for range 6000 {
			o.put(good.delivery("good", "x"))
			o.put(bad.delivery("bad", "y"))
			time.Sleep(100 * time.Millisecond)
		}
		synctest.Wait()
		assert.Greater(t, good.of(""), 5600)
		assert.Zero(t, bad.of(""))
		assert.LessOrEqual(t, bad.of(source.BusStuck), 26)
		cancel()
		synctest.Wait()
	})
}

func TestWhatWaitsOfADeviceThatGoesIsSettled(t *testing.T) {
	o, c := newOutbox(), newTally()
	o.put(c.delivery("a", "1"))
	o.put(c.delivery("b", "2"))
	o.forget("a")
	assert.Equal(t, map[source.Reason]int{source.DeviceGone: 1}, c.counts)
	d, ok := o.take(t.Context())
	require.True(t, ok)
	assert.Equal(t, "b", d.device)
}

// Whatever is put, taken and forgotten: everything is settled or waits, once, and no more
// than one waits on a lane.
func TestTheOutboxLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := newOutbox()
		put, settled, taken := 0, 0, 0
		devices := rapid.SampledFrom([]string{"a", "b", "c"})
		last := map[string]int{}
		for range rapid.IntRange(1, 50).Draw(t, "steps") {
			device := devices.Draw(t, "device")
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0, 1:
				put++
				last[device] = put
				o.put(delivery{device: device, sample: source.Sample{Seq: uint64(put)}, settle: func(source.Reason) { settled++ }})
			case 2:
				if d, ok, _ := o.next(time.Now()); ok {
					taken++
					if int(d.sample.Seq) != last[d.device] {
						t.Fatalf("took %d of %s, the newest is %d", d.sample.Seq, d.device, last[d.device])
					}
				}
			case 3:
				o.forget(device)
			}
			if put != settled+taken+len(o.pending) || len(o.pending) != len(o.turns) || len(o.pending) > 3 {
				t.Fatalf("%d put, %d settled, %d taken, %d wait", put, settled, taken, len(o.pending))
			}
		}
	})
}

// metadata stands for what the SDK believes and core-metadata is told.
type metadata struct {
	mu     sync.Mutex
	states map[string]models.OperatingState
	away   atomic.Bool
	asked  atomic.Int64
}

func (m *metadata) state(device string) (models.OperatingState, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.states[device]
	return s, ok
}

func (m *metadata) of(device string) models.OperatingState {
	s, _ := m.state(device)
	return s
}

func (m *metadata) set(device string, s models.OperatingState) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.states[device] = s
}

func (m *metadata) tell(device string, s models.OperatingState) error {
	m.asked.Add(1)
	if m.away.Load() {
		return errors.New("away")
	}
	m.set(device, s)
	return nil
}

func TestTheReporterGoesOnUntilItWasHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		core := &metadata{states: map[string]models.OperatingState{"a": models.Up, "b": models.Down}}
		core.away.Store(true)
		r := newReporter(core.state, core.tell)
		go r.run(ctx)
		r.report("a", models.Up) // already so
		r.report("nobody", models.Down)
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Zero(t, core.asked.Load())

		r.report("b", models.Up)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		assert.Equal(t, models.OperatingState(models.Down), core.of("b"))
		assert.LessOrEqual(t, core.asked.Load(), int64(9))

		core.away.Store(false)
		time.Sleep(tellMax)
		synctest.Wait()
		assert.Equal(t, models.OperatingState(models.Up), core.of("b"))

		core.set("b", models.Down) // by hand
		r.heard("b")
		synctest.Wait()
		assert.Equal(t, models.OperatingState(models.Up), core.of("b"))
		r.forget("b")
		core.set("b", models.Down)
		r.heard("b")
		synctest.Wait()
		assert.Equal(t, models.OperatingState(models.Down), core.of("b"))
		cancel()
		synctest.Wait()
	})
}
