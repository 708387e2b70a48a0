// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script is a source that does what a test says.
type script func(ctx context.Context, feed *Feed) error

func (s script) Run(ctx context.Context, feed *Feed) error { return s(ctx, feed) }

// rig runs a supervisor in a bubble of virtual time and keeps what it gave.
type rig struct {
	*Supervisor
	mu      sync.Mutex
	samples []Sample
	states  []string
	lines   []string
}

func (r *rig) Infof(format string, args ...any) { r.note(&r.lines, fmt.Sprintf(format, args...)) }
func (r *rig) Warnf(format string, args ...any) { r.note(&r.lines, fmt.Sprintf(format, args...)) }

func (r *rig) note(to *[]string, s string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*to = append(*to, s)
}

func (r *rig) taken() []Sample {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Sample(nil), r.samples...)
}

func (r *rig) seen() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.states...)
}

// run starts the supervisor; the test's end stops it.
func run(t *testing.T, source Source, change func(*Options)) *rig {
	t.Helper()
	r := &rig{}
	options := Options{
		Rate: 10, Enabled: true, FailuresToDown: 3, RetryMin: time.Second, RetryMax: 8 * time.Second,
		Rand:    func() float64 { return 0.5 },
		Deliver: func(s Sample) { r.mu.Lock(); defer r.mu.Unlock(); r.samples = append(r.samples, s) },
		Changed: func(s Status) { r.note(&r.states, s.String()) },
		Log:     r,
	}
	change(&options)
	r.Supervisor = New("cam", source, options)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-done })
	return r
}

func asIs(*Options) {}

// clock captures one sample at each tick.
func clock(ctx context.Context, feed *Feed) error {
	for {
		if err := feed.Wait(ctx); err != nil {
			return err
		}
		feed.Emit(Sample{Value: "x"})
	}
}

func TestSamplesAreNumberedStampedAndOnTheGrid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(ctx context.Context, feed *Feed) error {
			for {
				if err := feed.Wait(ctx); err != nil {
					return err
				}
				time.Sleep(30 * time.Millisecond) // what a capture takes does not make the rate drift
				feed.Emit(Sample{})
			}
		}
		r := run(t, script(slow), asIs)
		time.Sleep(1045 * time.Millisecond)
		synctest.Wait()
		samples := r.taken()
		require.Len(t, samples, 11)
		for i, s := range samples {
			assert.Equal(t, uint64(i+1), s.Seq)
			assert.Equal(t, samples[0].Captured.Add(time.Duration(i)*100*time.Millisecond), s.Captured)
		}
	})
}

func TestAfterAStandstillThereIsNoBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := true
		r := run(t, script(func(ctx context.Context, feed *Feed) error {
			for {
				if err := feed.Wait(ctx); err != nil {
					return err
				}
				if first {
					first = false
					time.Sleep(5 * time.Second)
				}
				feed.Emit(Sample{})
			}
		}), asIs)
		time.Sleep(5*time.Second + 250*time.Millisecond)
		synctest.Wait()
		assert.LessOrEqual(t, len(r.taken()), 4)
	})
}

func TestRateAndOnOffChangeWhileItRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, script(clock), func(o *Options) { o.Rate = 0.01 })
		time.Sleep(time.Second)
		synctest.Wait()
		require.Len(t, r.taken(), 1)

		require.NoError(t, r.SetRate(2))
		time.Sleep(2*time.Second + time.Millisecond)
		synctest.Wait()
		fast := len(r.taken())
		assert.GreaterOrEqual(t, fast, 5)

		r.SetEnabled(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Len(t, r.taken(), fast)
		assert.Equal(t, Disabled, r.Status().State)

		r.SetEnabled(true)
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Greater(t, len(r.taken()), fast)
		assert.Equal(t, []string{"running", "disabled", "starting", "running"}, r.seen())

		assert.ErrorContains(t, r.SetRate(0), "allowed are 0.001 to 240")
		assert.ErrorContains(t, r.SetRate(1000), "1000")
		assert.InDelta(t, 2, r.Status().Rate, 0)
	})
}

func TestASourceThatFailsIsRunAgainAfterGrowingPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		start := time.Now()
		var mended atomic.Bool
		r := run(t, script(func(ctx context.Context, feed *Feed) error {
			at = append(at, time.Since(start))
			if !mended.Load() {
				return errors.New("refused")
			}
			return clock(ctx, feed)
		}), asIs)
		time.Sleep(31500 * time.Millisecond)
		synctest.Wait()
		assert.Equal(t, []time.Duration{0, 1 * time.Second, 3 * time.Second, 7 * time.Second, 15 * time.Second, 23 * time.Second, 31 * time.Second}, at)
		assert.Equal(t, []string{"retrying: refused", "down: refused"}, r.seen())
		assert.Equal(t, "down: refused", r.Status().String())

		mended.Store(true)
		time.Sleep(8 * time.Second)
		synctest.Wait()
		assert.Equal(t, []string{"retrying: refused", "down: refused", "running"}, r.seen())
		assert.Len(t, r.lines, 3, "one line per change of state")
	})
}

func TestSilenceEndsARunAndCountsAsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, script(func(ctx context.Context, feed *Feed) error {
			<-ctx.Done()
			return ctx.Err()
		}), func(o *Options) { o.Silence, o.Rate, o.FreeRate = 4*time.Second, 0, true })
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, []string{"retrying: nothing came for 4s", "down: nothing came for 4s"}, r.seen())
	})
}

func TestASourceThatDoesNotEvenEndIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		r := run(t, script(func(context.Context, *Feed) error {
			<-release
			return nil
		}), func(o *Options) { o.Silence = time.Second })
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, Down, r.Status().State)
		close(release)
	})
}

func TestSlowSourcesAreNotSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, script(clock), func(o *Options) { o.Silence, o.Rate = time.Second, 0.1 })
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		assert.Equal(t, []string{"running"}, r.seen())
	})
}

func TestAFasterSourceIsThinnedToItsRate(t *testing.T) {
	for _, test := range []struct {
		rate     float64
		low, top int // of 300 frames in 10 s, coming unevenly
	}{{0, 300, 300}, {10, 98, 101}, {20, 190, 201}, {240, 295, 300}} {
		t.Run(fmt.Sprint(test.rate), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := run(t, script(func(ctx context.Context, feed *Feed) error {
					for i := range 300 {
						time.Sleep(33333*time.Microsecond + time.Duration(i%3-1)*5*time.Millisecond)
						if feed.Due() {
							feed.Emit(Sample{})
						}
					}
					<-ctx.Done()
					return ctx.Err()
				}), func(o *Options) { o.Rate, o.FreeRate = test.rate, true })
				time.Sleep(11 * time.Second)
				synctest.Wait()
				status := r.Status()
				assert.GreaterOrEqual(t, int(status.Captured), test.low)
				assert.LessOrEqual(t, int(status.Captured), test.top)
				assert.EqualValues(t, 300, status.Captured+status.Dropped[AboveRate])
			})
		})
	}
}

func TestARowOfRejectionsTakesItDownAndOneGoodSampleUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var good atomic.Bool
		r := run(t, script(func(ctx context.Context, feed *Feed) error {
			for {
				if err := feed.Wait(ctx); err != nil {
					return err
				}
				if good.Load() {
					feed.Emit(Sample{})
					continue
				}
				feed.Reject(Reject(TooLarge, "%d bytes: allowed are %d", 9, 5))
			}
		}), asIs)
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Equal(t, "down: too-large: 9 bytes: allowed are 5", r.Status().String())
		dropped := r.Status().Dropped[TooLarge]
		assert.EqualValues(t, 11, dropped)
		assert.Len(t, r.lines, 2, "the first rejection, and the state")

		good.Store(true)
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Equal(t, "running", r.Status().String())
	})
}

func TestSkippingIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, script(func(ctx context.Context, feed *Feed) error {
			for range 100 {
				feed.Skip(Reject(Unreadable, "a text"))
			}
			return clock(ctx, feed)
		}), asIs)
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Equal(t, []string{"running"}, r.seen())
		assert.EqualValues(t, 100, r.Status().Dropped[Unreadable])
	})
}

func TestTheAccountIsClosedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r *rig
		n := 0
		ready := make(chan struct{})
		r = run(t, script(clock), func(o *Options) {
			o.Deliver = func(Sample) {
				<-ready
				if n++; n%3 == 0 {
					r.Settle(Superseded)
					return
				}
				r.Settle("")
			}
		})
		close(ready)
		time.Sleep(1050 * time.Millisecond)
		synctest.Wait()
		status := r.Status()
		assert.Equal(t, status.Captured, status.Sent+status.Dropped[Superseded])
		assert.EqualValues(t, 3, status.Dropped[Superseded])
		last, ok := r.Last()
		assert.True(t, ok)
		assert.Equal(t, status.Captured, last.Seq)
	})
}

func TestRates(t *testing.T) {
	for _, test := range []struct {
		rate float64
		free bool
		ok   bool
	}{{0, true, true}, {0, false, false}, {-1, true, false}, {0.0001, true, false}, {0.001, false, true}, {240, false, true}, {240.1, true, false}} {
		err := CheckRate(test.rate, test.free)
		assert.Equal(t, test.ok, err == nil, "%+v: %v", test, err)
	}
}
