// SPDX-License-Identifier: Apache-2.0

package quantize

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"

	"edgex-offload/infer"
)

// LayerError says what quantization does to a layer's output.
type LayerError struct {
	Layer string
	// Error is the root of the squared difference's mean over that of the output's square:
	// 0.01 is one percent. It holds what all layers before have added.
	Error float64
}

// LayerErrors compares each layer's output with that in float32, in the order in which they
// run.
func (c *Calibrated) LayerErrors(ctx context.Context, f Form, samples []Sample) ([]LayerError, error) {
	n, err := c.form(f)
	if err != nil {
		return nil, err
	}
	p := c.n.newPlan(c.keep(f.Keep))
	var shown []string
	var list []LayerError
	for _, node := range p.layers() {
		shown = append(shown, p.clampedTo(output(node)))
		list = append(list, LayerError{Layer: nameOf(node)})
	}
	found := make([]float64, 0, len(shown))
	for _, chunk := range c.chunks(shown) {
		e, err := c.compare(ctx, n, chunk, samples)
		if err != nil {
			return nil, err
		}
		found = append(found, e...)
	}
	for i := range list {
		list[i].Error = found[i]
	}
	return list, nil
}

// Sensitivity gives the error of the graph's outputs, the largest of them, that each layer
// causes when it is the only one on integers; the worst first. It loads the graph once for
// each layer.
func (c *Calibrated) Sensitivity(ctx context.Context, samples []Sample) ([]LayerError, error) {
	var shown []string
	for _, out := range c.n.graph.Output {
		shown = append(shown, out.GetName())
	}
	var list []LayerError
	for i, layer := range c.layers {
		others := slices.DeleteFunc(slices.Clone(c.layers), func(name string) bool { return name == layer })
		n, err := c.form(Form{Keep: others})
		if err != nil {
			return nil, err
		}
		e, err := c.compare(ctx, n, shown, samples)
		if err != nil {
			return nil, err
		}
		list = append(list, LayerError{Layer: layer, Error: slices.Max(e)})
		c.opts.step("weigh layers", i+1, len(c.layers))
	}
	slices.SortStableFunc(list, func(a, b LayerError) int { return cmp.Compare(b.Error, a.Error) })
	return list, nil
}

// compare gives the relative error of tensors in a network against those of the same name
// in the calibrated one.
func (c *Calibrated) compare(ctx context.Context, n *network, shown []string, samples []Sample) (found []float64, err error) {
	whole, err := c.load(ctx, c.n, shown)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, whole.Close()) }()
	other, err := c.load(ctx, n, shown)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, other.Close()) }()
	differ, power := make([]float64, len(shown)), make([]float64, len(shown))
	for _, s := range samples {
		err := run(ctx, whole, s, func(want []infer.Tensor) error {
			return run(ctx, other, s, func(got []infer.Tensor) error {
				for i := range shown {
					d, p := difference(want[i].Data, got[i].Data)
					differ[i] += d
					power[i] += p
				}
				return nil
			})
		})
		if err != nil {
			return nil, err
		}
	}
	for i, d := range differ {
		found = append(found, relative(d, power[i]))
	}
	return found, nil
}

func relative(differ, power float64) float64 {
	switch {
	case differ == 0:
		return 0
	case power == 0:
		return math.Inf(1)
	}
	return math.Sqrt(differ / power)
}

// difference sums the squares of what differs and of what should be.
func difference(want, got []float32) (differ, power float64) {
	for i, v := range want {
		power += float64(v) * float64(v)
		if i < len(got) {
			differ += (float64(v) - float64(got[i])) * (float64(v) - float64(got[i]))
		}
	}
	if len(want) != len(got) {
		return math.Inf(1), power
	}
	return differ, power
}
