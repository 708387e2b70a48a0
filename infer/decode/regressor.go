// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"fmt"

	"edgex-offload/offload"
)

// Regressor reads one number per label, of any shape ([1, N], [1, N, 1]).
type Regressor struct {
	Labels []string
	// Units of the values, "" for none. A number v becomes v*Scale + Offset. Each list has
	// one entry, or one per label.
	Units         []string
	Scale, Offset []float64
}

// Answer has the values alone: a regression has no best class and no probability.
func (r Regressor) Answer(out Tensor) (offload.Answer, error) {
	if len(out.Data) != len(r.Labels) {
		return offload.Answer{}, fmt.Errorf("%v has %d numbers, but labels lists %d: list one label per number", out, len(out.Data), len(r.Labels))
	}
	values := make([]offload.Value, len(out.Data))
	for i, v := range out.Data {
		if !finite(v) {
			return offload.Answer{}, fmt.Errorf("%v: %q is %v: the model or its input.scale, mean or std is at fault", out, r.Labels[i], v)
		}
		values[i] = offload.Value{
			Label: r.Labels[i], Unit: r.Units[i%len(r.Units)],
			Value: float64(v)*r.Scale[i%len(r.Scale)] + r.Offset[i%len(r.Offset)],
		}
	}
	return offload.Answer{Values: values}, nil
}
