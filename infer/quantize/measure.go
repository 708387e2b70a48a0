// SPDX-License-Identifier: Apache-2.0

package quantize

import (
	"context"
	"slices"
	"time"

	"edgex-offload/infer"
)

// Times runs graphs on samples, one after the other and again and again, so that what else
// the machine does meets all of them alike. It gives the times of each, shortest first. The
// first tenth of the rounds is not counted.
func Times(ctx context.Context, now func() time.Time, graphs []infer.Graph, samples []Sample, rounds int) ([][]time.Duration, error) {
	times := make([][]time.Duration, len(graphs))
	for i := range rounds + (rounds+9)/10 {
		for g, graph := range graphs {
			began := now()
			err := run(ctx, graph, samples[i%len(samples)], func([]infer.Tensor) error { return nil })
			if err != nil {
				return nil, err
			}
			if took := now().Sub(began); i >= (rounds+9)/10 {
				times[g] = append(times[g], took)
			}
		}
	}
	for _, list := range times {
		slices.Sort(list)
	}
	return times, nil
}
