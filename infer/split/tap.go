// SPDX-License-Identifier: Apache-2.0

package split

import (
	"context"
	"slices"
	"time"

	"edgex-offload/infer"
)

// tap is a graph that shows what passes in a run. One run at a time.
type tap struct {
	infer.Graph
	now func() time.Time
	// skim takes the outputs and keeps them from whoever runs the graph.
	skim    func(outputs []infer.Tensor) error
	outputs [][]float32   // of the last run, copied
	took    time.Duration // the graph alone
}

// Run implements infer.Graph.
func (t *tap) Run(ctx context.Context, batch int, fill func(inputs [][]float32) error, read func(outputs []infer.Tensor) error) error {
	var began time.Time
	return t.Graph.Run(ctx, batch, func(inputs [][]float32) error {
		err := fill(inputs)
		began = t.now()
		return err
	}, func(outputs []infer.Tensor) error {
		t.took = t.now().Sub(began)
		if t.skim != nil {
			return t.skim(outputs)
		}
		t.outputs = t.outputs[:0]
		for _, o := range outputs {
			t.outputs = append(t.outputs, slices.Clone(o.Data))
		}
		return read(outputs)
	})
}
