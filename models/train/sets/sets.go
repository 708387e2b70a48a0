// SPDX-License-Identifier: Apache-2.0

// Package sets makes the labelled data that the shipped models are trained and measured
// on, from the demonstration sources in synth, in the very form in which a device
// delivers it: JPEG bytes of a camera, little endian float32 of a sensor.
//
// A sample follows from its set's seed and its number alone. Each group of samples comes
// from a belt or a machine of its own, so that a model cannot learn one belt by heart.
package sets

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image/jpeg"

	"edgex-offload/synth/conveyor"
	"edgex-offload/synth/machine"
)

// The seeds. A model never sees HeldOut or Test before it is finished: HeldOut gives
// the figures in the models' files, Test checks these.
const (
	Train      = 1
	Validation = 2
	HeldOut    = 3
	Test       = 4
)

// The picture as the conveyor camera delivers it.
const (
	FrameWidth  = 320
	FrameHeight = 240
	JPEGQuality = 85
)

// GroupSize is how many samples come from one belt or one machine.
const GroupSize = 50

// Sample is one labelled payload.
type Sample struct {
	Payload []byte
	Label   int // index into conveyor.Labels or machine.Conditions
}

// Groups is how many groups n samples take; n is rounded up to whole groups.
func Groups(n int) int { return (n + GroupSize - 1) / GroupSize }

// Surface makes the samples of one group of parts: about half of them good.
func Surface(seed int64, number int) ([]Sample, error) {
	belt := conveyor.New(groupSeed(seed, number), FrameWidth, FrameHeight)
	index := indexOf(conveyor.Labels())
	samples := make([]Sample, GroupSize)
	for i := range samples {
		picture, truth := belt.Next()
		var encoded bytes.Buffer
		if err := jpeg.Encode(&encoded, picture, &jpeg.Options{Quality: JPEGQuality}); err != nil {
			return nil, fmt.Errorf("encode part %d of group %d: %w", i, number, err)
		}
		samples[i] = Sample{Payload: encoded.Bytes(), Label: index[truth]}
	}
	return samples, nil
}

// Vibration makes the samples of one group of windows: each condition in turn.
func Vibration(seed int64, number int) ([]Sample, error) {
	source := machine.New(groupSeed(seed, number))
	conditions := machine.Conditions()
	samples := make([]Sample, GroupSize)
	for i := range samples {
		label := (number*GroupSize + i) % len(conditions)
		payload, err := binary.Append(nil, binary.LittleEndian, source.Sample(conditions[label]))
		if err != nil {
			return nil, fmt.Errorf("encode window %d of group %d: %w", i, number, err)
		}
		samples[i] = Sample{Payload: payload, Label: label}
	}
	return samples, nil
}

// groupSeed keeps the sets apart: no group of one has the seed of a group of another.
func groupSeed(seed int64, number int) int64 { return seed<<32 | int64(number) }

func indexOf(labels []string) map[string]int {
	index := make(map[string]int, len(labels))
	for i, l := range labels {
		index[l] = i
	}
	return index
}
