// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/remote"
	"edgex-offload/standalone/emulator"
)

// farEnd answers as a link lets it, from the time of its first probe on.
type farEnd struct {
	truth emulator.Trace
	there time.Duration // what a probe spends in the server

	mu    sync.Mutex
	began time.Time
}

func (f *farEnd) now() emulator.Conditions {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.began.IsZero() {
		f.began = time.Now()
	}
	return f.truth.Slots[min(int(time.Since(f.began)/emulator.Slot), len(f.truth.Slots)-1)]
}

func (f *farEnd) WaitReady(context.Context) error { return nil }

func (f *farEnd) Probe(ctx context.Context) (remote.ProbeReply, error) {
	c := f.now()
	if c.Out() {
		<-ctx.Done()
		return remote.ProbeReply{}, &remote.Error{Class: remote.Late, Reason: "nothing came back"}
	}
	select {
	case <-time.After(c.RTT + f.there):
	case <-ctx.Done():
		return remote.ProbeReply{}, &remote.Error{Class: remote.Late, Reason: "too late"}
	}
	at := time.Unix(1000, 0) // another clock
	return remote.ProbeReply{Received: at, Sent: at.Add(f.there)}, nil
}

func (f *farEnd) ProbeTrain(_ context.Context, up, down int) (remote.TrainReply, error) {
	c := f.now()
	if c.Out() || c.UpBps == 0 {
		return remote.TrainReply{}, errors.New("no")
	}
	spread := func(bytes int, bps float64) time.Duration {
		return max(time.Duration(float64(bytes)/bps*float64(time.Second)), 1)
	}
	return remote.TrainReply{Up: up, UpSpread: spread(up, c.UpBps), Down: down, DownSpread: spread(down, c.DownBps)}, nil
}

// recorded records from a source on a virtual clock.
func recorded(ctx context.Context, t *testing.T, from sampler, o recordOptions) (emulator.Trace, *recording, string) {
	t.Helper()
	var file, shown bytes.Buffer
	r := newRecording(&file, &shown, o)
	require.NoError(t, r.run(ctx, from))
	trace, err := emulator.ReadTrace(&file)
	require.NoError(t, err)
	return trace, r, shown.String()
}

func TestARecordedLinkIsTheLink(t *testing.T) {
	for _, name := range []string{"wifi", "5g-drive", "satellite", "flaky"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				profile, err := emulator.ProfileNamed(name)
				require.NoError(t, err)
				truth := emulator.Record(profile.Start(2), 3700)
				p := &prober{target: &farEnd{truth: truth, there: 3 * time.Millisecond}, every: emulator.Slot, rateEvery: 10 * time.Second}
				got, r, shown := recorded(t.Context(), t, p, recordOptions{length: 3 * time.Minute, upKbps: 1, downKbps: 1})
				// Those that left last are under way at the end: whether one more counts is chance.
				assert.InDelta(t, 3600, len(got.Slots), 4)
				wrong := 0
				for i, c := range got.Slots[:3500] {
					want := truth.Slots[i]
					switch {
					case want.Out() != c.Out() && want.RTT < probeTimeout:
						wrong++
					case !c.Out():
						if (want.RTT - c.RTT).Abs() > emulator.Slot { // of two answers at one instant either may come first
							wrong++
						}
						assert.Greater(t, c.UpBps, 1000., "slot %d: measured", i)
					}
				}
				assert.LessOrEqual(t, wrong, 4, "slots out by mistake or not, or with another round trip")
				assert.Equal(t, [2]bool{true, true}, r.grid.rateKnown)
				assert.Empty(t, r.grid.refused)
				assert.Contains(t, shown, "[#####...........] 1:00 of 3:00 · ")
			})
		})
	}
}

// The trace that is left by Ctrl-C is whole, and nothing goes on after it.
func TestRecordingEndsWithCtrlC(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		profile, err := emulator.ProfileNamed("lte")
		require.NoError(t, err)
		p := &prober{target: &farEnd{truth: emulator.Record(profile.Start(1), 2000)}, every: 100 * time.Millisecond}
		ctx, interrupt := context.WithTimeout(t.Context(), 21*time.Second)
		defer interrupt()
		got, r, _ := recorded(ctx, t, p, recordOptions{upKbps: 700, downKbps: 800})
		assert.InDelta(t, 21, lasting(len(got.Slots)).Seconds(), .15)
		var sum strings.Builder
		require.NoError(t, r.sum(&sum, "site.csv", p))
		assert.Contains(t, sum.String(), "no rate was measured up: the trace has the 700 kbit/s of --up-kbps")
		assert.Contains(t, sum.String(), "no rate was measured down: the trace has the 800 kbit/s of --down-kbps")
		assert.Contains(t, sum.String(), "offload trace show site.csv")
		assert.InDelta(t, 700*125, got.Slots[0].UpBps, 1)
	})
}

func TestRecordingCostsNoMoreThanSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fast := emulator.Trace{Slots: []emulator.Conditions{{RTT: time.Millisecond, UpBps: 1e9, DownBps: 1e9}}}
		with, without := &prober{target: &farEnd{truth: fast}, every: emulator.Slot, rateEvery: 10 * time.Second}, &prober{target: &farEnd{truth: fast}, every: time.Second}
		for _, p := range []*prober{with, without} {
			_, _, _ = recorded(t.Context(), t, p, recordOptions{length: time.Hour, upKbps: 1, downKbps: 1})
		}
		assert.InDelta(t, 2.16e6, without.bytes.Load(), 1e4, "2 MB at one a second")
		assert.InDelta(t, 75e6, with.bytes.Load(), 2e6, "43 MB and 32 MB")
	})
}

// trains answers with one after the other, the last for ever.
type trains struct {
	farEnd
	list []remote.TrainReply
}

func (f *trains) ProbeTrain(context.Context, int, int) (remote.TrainReply, error) {
	next := f.list[0]
	f.list = f.list[min(1, len(f.list)-1):]
	return next, nil
}

func TestRatesOfTrains(t *testing.T) {
	up := func(kbps int, atLeast bool) remote.TrainReply { // 1000 bytes
		return remote.TrainReply{Up: 1000, UpSpread: 8 * time.Second / time.Duration(kbps), UpAtLeast: atLeast}
	}
	none := remote.TrainReply{Up: 1000}
	for _, c := range []struct {
		name   string
		first  []remote.TrainReply
		second []remote.TrainReply
		want   []float64 // after each of the two
		more   bool
	}{
		{"it falls", []remote.TrainReply{up(5000, false)}, []remote.TrainReply{up(1000, false)}, []float64{5000, 1000}, false},
		{"a heap is no rate", []remote.TrainReply{up(5000, false)}, []remote.TrainReply{up(5000, false), up(900000, false), up(4900, false)}, []float64{5000, 5000}, false},
		{"at least, and lower", []remote.TrainReply{up(5000, false)}, []remote.TrainReply{up(1000, true)}, []float64{5000, 5000}, true},
		{"at least, and higher", []remote.TrainReply{up(500, false)}, []remote.TrainReply{up(1000, true)}, []float64{500, 1000}, true},
		{"no figure", []remote.TrainReply{up(500, false)}, []remote.TrainReply{none, none, none}, []float64{500, 500}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				steady := emulator.Trace{Slots: []emulator.Conditions{{RTT: 10 * time.Millisecond, UpBps: 1, DownBps: 1}}}
				for len(c.first) < trainsAtATime {
					c.first = append(c.first, c.first[0])
				}
				p := &prober{target: &trains{farEnd{truth: steady}, slices.Concat(c.first, c.second)}, every: time.Second, rateEvery: 10 * time.Second}
				got, r, _ := recorded(t.Context(), t, p, recordOptions{length: 19 * time.Second, upKbps: 1, downKbps: 77})
				assert.InDelta(t, c.want[0], upMbps(got.Slots[0])*1000, 1)
				assert.InDelta(t, c.want[1], upMbps(got.Slots[350])*1000, 1)
				assert.InDelta(t, 77, downMbps(got.Slots[350])*1000, 1)
				assert.Equal(t, [2]bool{true, false}, r.grid.rateKnown)
				assert.Equal(t, c.more, strings.Contains(p.account(), ", up is at least that"))
			})
		})
	}
}

// What cannot be reached is an outage; how it fails is told.
func TestRecordingOfATargetThatIsNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &prober{target: unreachable{}, every: emulator.Slot, rateEvery: time.Second}
		var file, shown bytes.Buffer
		r := newRecording(&file, &shown, recordOptions{length: 20 * time.Second, upKbps: 1, downKbps: 1})
		require.NoError(t, r.run(t.Context(), p))
		assert.Zero(t, r.grid.answered)
		assert.InDelta(t, 400, r.grid.lost, 1)
		assert.Contains(t, p.account(), "last error: unreachable: no route")
	})
}

type unreachable struct{}

func (unreachable) WaitReady(context.Context) error { return errors.New("no route") }
func (unreachable) Probe(context.Context) (remote.ProbeReply, error) {
	return remote.ProbeReply{}, &remote.Error{Class: remote.Unreachable, Reason: "no route"}
}

func (unreachable) ProbeTrain(context.Context, int, int) (remote.TrainReply, error) {
	return remote.TrainReply{}, errors.New("no route")
}

func TestRecordingToAFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		steady := emulator.Trace{Slots: []emulator.Conditions{{RTT: time.Millisecond, UpBps: 1, DownBps: 1}}}
		r := newRecording(full{}, io.Discard, recordOptions{upKbps: 1, downKbps: 1})
		err := r.run(t.Context(), &prober{target: &farEnd{truth: steady}, every: emulator.Slot})
		require.ErrorContains(t, err, "no space left", "it ends, though nobody ends it")
	})
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestRecordMistakes(t *testing.T) {
	there := filepath.Join(t.TempDir(), "there.csv")
	require.NoError(t, os.WriteFile(there, []byte("precious"), 0o600))
	fresh := filepath.Join(t.TempDir(), "fresh.csv")
	missing := httptest.NewServer(http.NotFoundHandler())
	defer missing.Close()
	for says, args := range map[string][]string{
		`required flag(s) "to" not set`:                         {"--app", "http://localhost:1"},
		"at least one of the flags in the group [app address]":  {"--to", fresh},
		"[address app] were all set":                            {"--to", fresh, "--app", "http://localhost:1", "--address", "localhost:1"},
		"[app rate-every] were all set":                         {"--to", fresh, "--app", "http://localhost:1", "--rate-every", "5s"},
		`app "localhost:59740": allowed is http(s)://host:port`: {"--to", fresh, "--app", "localhost:59740"},
		`target "": allowed is the name`:                        {"--to", fresh, "--app", "http://localhost:1", "--target", ""},
		"Address \"cloud\": allowed is host:port":               {"--to", fresh, "--address", "cloud"},
		"every 10ms: allowed is 50ms to 15s":                    {"--to", fresh, "--address", "localhost:1", "--every", "10ms"},
		"rate-every 10ms: allowed is 0, or 1s to 1h0m0s":        {"--to", fresh, "--address", "localhost:1", "--rate-every", "10ms"},
		"for 10ms: allowed is 0, or 1s to 14h33m48.8s":          {"--to", fresh, "--address", "localhost:1", "--for", "10ms"},
		"up-kbps 0: allowed is above 0 to 1e+09":                {"--to", fresh, "--address", "localhost:1", "--up-kbps", "0"},
		"down-kbps NaN: allowed is above 0":                     {"--to", fresh, "--address", "localhost:1", "--down-kbps", "NaN"},
		"file exists; allowed is a file that is not there yet":  {"--to", there, "--address", "localhost:1"},
		"answers 404 Not Found":                                 {"--to", fresh, "--app", missing.URL},
	} {
		_, err := run(t, append([]string{"trace", "record"}, args...)...)
		assert.ErrorContains(t, err, says)
	}
	kept, err := os.ReadFile(there)
	require.NoError(t, err)
	assert.Equal(t, "precious", string(kept))
	assert.NoFileExists(t, fresh, "nothing is left of what was not recorded")
}
