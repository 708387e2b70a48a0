// SPDX-License-Identifier: Apache-2.0

package main

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/standalone/emulator"
)

// drawn is a trace's picture, through the command line.
func drawn(t *testing.T, trace emulator.Trace, args ...string) image.Image {
	t.Helper()
	file := filepath.Join(t.TempDir(), "out.png")
	_, err := run(t, append([]string{"trace", "show", written(t, trace), "--png", file}, args...)...)
	require.NoError(t, err)
	f, err := os.Open(file)
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	img, err := png.Decode(f)
	require.NoError(t, err)
	return img
}

// reddish is the share of a column of pixels that an outage shades.
func reddish(img image.Image, x int) float64 {
	n := 0
	for y := range img.Bounds().Dy() {
		c, _ := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
		if int(c.R) > int(c.G)+40 && int(c.R) > int(c.B)+40 {
			n++
		}
	}
	return float64(n) / float64(img.Bounds().Dy())
}

func TestPictureShowsOutagesWhereTheyAre(t *testing.T) {
	img := drawn(t, course())
	assert.Equal(t, image.Rect(0, 0, 1200, 900), img.Bounds())
	// The axis spans about 70 to 1190 pixels for 30 s; the outage is from 10 to 13 s.
	at := func(seconds float64) int { return int(70 + 1120*seconds/30) }
	assert.Greater(t, reddish(img, at(11.5)), .5)
	assert.Less(t, reddish(img, at(5)), .05)
	assert.Less(t, reddish(img, at(25)), .2, "some loss is no outage")
}

// A picture of the links at the edges of what a trace can be.
func TestPicturesOfOddLinks(t *testing.T) {
	steady := emulator.Conditions{RTT: 20 * time.Millisecond, UpBps: 1e5, DownBps: 1e5}
	var long emulator.Trace
	for range 72000 * 3 {
		long.Slots = append(long.Slots, steady)
	}
	for name, c := range map[string]struct {
		trace emulator.Trace
		args  []string
	}{
		"one slot":     {emulator.Trace{Slots: []emulator.Conditions{steady}}, nil},
		"three hours":  {long, nil},
		"no time":      {emulator.Trace{Slots: []emulator.Conditions{{UpBps: 1e3, DownBps: 1e3}, {UpBps: 1e3, DownBps: 1e3}}}, nil},
		"the longest":  {emulator.Trace{Slots: []emulator.Conditions{steady, {RTT: 10 * time.Minute, UpBps: 1e11, DownBps: 1e11}}}, nil},
		"all out":      {course(), []string{"--from", "11s", "--for", "1s"}},
		"out at first": {emulator.Trace{Slots: []emulator.Conditions{{Loss: 1}, steady, {Loss: 1}}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, image.Rect(0, 0, 1200, 900), drawn(t, c.trace, c.args...).Bounds())
		})
	}
}

func TestTicks(t *testing.T) {
	labels := func(length time.Duration) (list []string) {
		for _, tick := range timeTicks(90*time.Second, length) {
			list = append(list, tick.Label)
		}
		return list
	}
	assert.Equal(t, []string{"1:30", "1:35", "1:40", "1:45", "1:50", "1:55", "2:00"}, labels(30*time.Second))
	assert.Equal(t, []string{"90 s", "90.05 s", "90.1 s"}, labels(100*time.Millisecond))
	assert.Equal(t, []string{"2:00:00", "4:00:00", "6:00:00", "8:00:00", "10:00:00", "12:00:00", "14:00:00"}, labels(14*time.Hour))
	for length := emulator.Slot; length < emulator.MaxTrace; length = length*5/4 + 1 {
		assert.LessOrEqual(t, len(labels(length)), 13, length)
	}

	var named []string
	for _, tick := range (logTicks{}).Ticks(30, 2100) {
		if tick.Label != "" {
			named = append(named, tick.Label)
		}
	}
	assert.Equal(t, []string{"50", "100", "200", "500", "1000", "2000"}, named)
}
