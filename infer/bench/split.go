// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"edgex-offload/infer/split"
	"edgex-offload/models/train/sets"
	"edgex-offload/offload"
)

// splitting is what it costs to cut a shipped model in two, at the first cut that sends less than
// its payload: a camera's JPEG, a sensor's window as it is.
func splitting(ctx context.Context, b *bench) (rows []row, err error) {
	for _, c := range []struct {
		name, payload string
		kind          offload.Kind
		group         func(seed int64, number int) ([]sets.Sample, error)
	}{
		{"surface-large", "a JPEG of 320 × 240", offload.ImageClassification, sets.Surface},
		{"vibration-large", "a window of 3 × 1024 float32", offload.SignalClassification, sets.Vibration},
	} {
		samples, err := c.group(sets.Test, 0)
		if err != nil {
			return nil, err
		}
		task := offload.Task{Kind: c.kind, Payload: samples[0].Payload}
		more, err := b.split(ctx, c.name, c.payload, task)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

func (b *bench) split(ctx context.Context, name, payload string, task offload.Task) (rows []row, err error) {
	plan, err := split.Open(ctx, split.Options{Dir: b.shipped, Name: name, Backend: b.backend, Now: time.Now})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, plan.Close()) }()
	cut, err := smallerThan(ctx, plan, task)
	if err != nil {
		return nil, err
	}
	parts, err := plan.Split(ctx, task, cut.Tensors, "bench", "1", "uint8")
	if err != nil {
		return nil, err
	}
	var whole, both, head, bytes, exact series
	for range b.rounds {
		m, err := plan.Measure(ctx, task, parts, 30)
		if err != nil {
			return nil, err
		}
		whole, both, head = append(whole, ms(m.Whole)), append(both, ms(m.Head+m.Tail)), append(head, ms(m.Head))
		bytes = append(bytes, float64(m.FeatureBytes)/float64(len(task.Payload)))
		exact = append(exact, m.Exact)
	}
	return []row{
		{
			What:   fmt.Sprintf("head and tail of %s over the whole, cut at %v", name, cut.Shapes[0][1:]),
			figure: both.over(whole).figure(), Unit: "x", Of: fmt.Sprintf("%s, of which the head %s", sides(both, whole), quantity(head.figure().Median, "ms")),
		},
		{What: "bytes of its features, uint8 and zstd, over " + payload, figure: bytes.figure(), Unit: "x", Of: fmt.Sprintf("%d bytes", len(task.Payload))},
		{What: "its largest difference of an output, nothing quantised", figure: exact.figure(), Target: atMost(split.Tolerance)},
	}, nil
}

// smallerThan is the first cut that sends less than the payload, else the one that sends least.
func smallerThan(ctx context.Context, plan *split.Plan, task offload.Task) (least split.Size, err error) {
	sizes, err := plan.Sizes(ctx, task, plan.Cuts())
	if err != nil {
		return least, err
	}
	for _, s := range split.Useful(sizes) {
		if least.Tensors == nil || s.PackedBytes < least.PackedBytes {
			least = s
		}
		if least.PackedBytes < len(task.Payload) {
			return least, nil
		}
	}
	if least.Tensors == nil {
		return least, fmt.Errorf("%s has no cut", plan.Whole())
	}
	return least, nil
}
