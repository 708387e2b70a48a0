// SPDX-License-Identifier: Apache-2.0

package sets

import (
	"bytes"
	"image/jpeg"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/synth/conveyor"
	"edgex-offload/synth/machine"
)

func TestSamplesAreAsDevicesDeliverThem(t *testing.T) {
	parts, err := Surface(Train, 0)
	require.NoError(t, err)
	require.Len(t, parts, GroupSize)
	for _, s := range parts {
		config, err := jpeg.DecodeConfig(bytes.NewReader(s.Payload))
		require.NoError(t, err)
		assert.Equal(t, [2]int{FrameWidth, FrameHeight}, [2]int{config.Width, config.Height})
		assert.Less(t, s.Label, len(conveyor.Labels()))
	}
	windows, err := Vibration(Train, 0)
	require.NoError(t, err)
	require.Len(t, windows, GroupSize)
	for _, s := range windows {
		assert.Len(t, s.Payload, 4*machine.Axes*machine.Samples)
	}
}

func TestConditionsTakeTurnsAcrossGroups(t *testing.T) {
	want := 0
	for number := range 3 {
		windows, err := Vibration(Train, number)
		require.NoError(t, err)
		for _, s := range windows {
			require.Equal(t, want, s.Label)
			want = (want + 1) % len(machine.Conditions())
		}
	}
}

// TestSetsShareNoSample guards the measured accuracies: a model that has seen what it is
// measured on looks better than it is.
func TestSetsShareNoSample(t *testing.T) {
	for name, family := range map[string]func(int64, int) ([]Sample, error){"surface": Surface, "vibration": Vibration} {
		seen := map[string]string{}
		for set, seed := range map[string]int64{"train": Train, "validation": Validation, "held-out": HeldOut, "test": Test} {
			samples, err := family(seed, 0)
			require.NoError(t, err)
			for _, s := range samples {
				assert.Empty(t, seen[string(s.Payload)], "%s: a sample of %s is in another set too", name, set)
				seen[string(s.Payload)] = set
			}
		}
		again, err := family(HeldOut, 0)
		require.NoError(t, err)
		assert.Equal(t, "held-out", seen[string(again[0].Payload)], "%s: not the same the second time", name)
	}
}
