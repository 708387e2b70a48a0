// SPDX-License-Identifier: Apache-2.0

package quantize

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"edgex-offload/infer"
)

const (
	// Forms are run fewest to most times to see which is the fastest: as often as goes into
	// tryTime, so that a network of a second's work is not run for minutes.
	fewestTries, mostTried = 8, 60
	tryTime                = 3 * time.Second
	// sensitive is how many samples the sensitivity of a layer, and a method, is found with.
	sensitive = 16
	// mostTries bounds how often more layers are kept in float32: 1, 2, 4, 8 and 16.
	mostTries = 5
)

// Wanted says what Search is to find.
type Wanted struct {
	// Float is the graph in float32, as it is at work.
	Float infer.Graph
	// Drop judges a graph: what it loses against Float, in points (1 is a hundredth).
	Drop func(ctx context.Context, graph infer.Graph) (float64, error)
	// MaxDrop is how much it may lose. Layers are kept in float32, the most sensitive first,
	// until it loses no more, or half of them are kept.
	MaxDrop float64
	// Rounds is how often both are run for the times that are reported.
	Rounds int
}

// Found is the best form of a graph in integers.
type Found struct {
	Form Form
	ONNX []byte
	// Drop is what it loses, in points. It may be more than was wanted.
	Drop float64
	// Times of the graph in float32 and of this one, shortest first, measured side by side.
	Float, Int []time.Duration
	// Tried is how many forms were judged, Best which of them this is, from 0.
	Tried, Best int
}

// Speedup is how many times faster the median run is.
func (f Found) Speedup() float64 {
	return float64(f.Float[len(f.Float)/2]) / float64(f.Int[len(f.Int)/2])
}

// Search writes the graph in the form that is the fastest here, keeps layers in float32 if it
// loses too much, and measures both.
func (c *Calibrated) Search(ctx context.Context, samples []Sample, w Wanted) (Found, error) {
	form, err := c.fastest(ctx, samples)
	if err != nil {
		return Found{}, err
	}
	if form, err = c.choose(ctx, form, samples); err != nil {
		return Found{}, err
	}
	found, err := c.judge(ctx, form, w)
	if err != nil {
		return Found{}, err
	}
	found.Tried = 1
	if found.Drop > w.MaxDrop {
		if found, err = c.keepSome(ctx, found, samples, w); err != nil {
			return Found{}, err
		}
	}
	graph, err := c.loadWhole(ctx, found.ONNX)
	if err != nil {
		return Found{}, err
	}
	times, err := Times(ctx, c.opts.Now, []infer.Graph{w.Float, graph}, samples, w.Rounds)
	if err = errors.Join(err, graph.Close()); err != nil {
		return Found{}, err
	}
	found.Float, found.Int = times[0], times[1]
	return found, nil
}

// prefixes are how many of the first layers may stay in float32 because that is faster: on
// large pictures of few channels the integer kernels lose to those in float32.
func prefixes() []int { return []int{1, 2, 3, 4, 6, 8} }

// forms are those that may be the fastest.
func (c *Calibrated) forms() []Form {
	list := []Form{{}, {Columns: true}}
	for _, n := range prefixes() {
		if n <= len(c.layers)/2 {
			list = append(list, Form{Keep: c.layers[:n]})
		}
	}
	return list
}

// fastest tries the forms on this machine, each against the best one so far.
func (c *Calibrated) fastest(ctx context.Context, samples []Sample) (Form, error) {
	var best Form
	var bestModel []byte
	forms := c.forms()
	for i, f := range forms {
		model, err := c.Model(f)
		if err != nil {
			return Form{}, err
		}
		faster := bestModel == nil
		if !faster && !bytes.Equal(model, bestModel) {
			if faster, err = c.faster(ctx, model, bestModel, samples); err != nil {
				return Form{}, err
			}
		}
		if faster {
			best, bestModel = f, model
		}
		c.opts.step("try forms", i+1, len(forms))
	}
	return best, nil
}

// faster says whether a graph is clearly faster than another.
func (c *Calibrated) faster(ctx context.Context, model, than []byte, samples []Sample) (is bool, err error) {
	var graphs []infer.Graph
	defer func() {
		for _, g := range graphs {
			err = errors.Join(err, g.Close())
		}
	}()
	for _, m := range [][]byte{model, than} {
		g, err := c.loadWhole(ctx, m)
		if err != nil {
			return false, err
		}
		graphs = append(graphs, g)
	}
	first, err := Times(ctx, c.opts.Now, graphs, samples, 1)
	if err != nil {
		return false, err
	}
	rounds := mostTried
	if both := first[0][0] + first[1][0]; both > tryTime/mostTried {
		rounds = max(fewestTries, int(tryTime/both))
	}
	times, err := Times(ctx, c.opts.Now, graphs, samples, rounds)
	if err != nil {
		return false, err
	}
	const clearly = .98
	return float64(times[0][rounds/2]) < clearly*float64(times[1][rounds/2]), nil
}

// choose takes the method that changes the layers' outputs least in the mean, if none is asked
// for.
func (c *Calibrated) choose(ctx context.Context, form Form, samples []Sample) (Form, error) {
	if c.opts.Method != Auto {
		return form, nil
	}
	least := math.Inf(1)
	best := form
	for i, m := range Methods()[1:] {
		form.Method = m
		layers, err := c.LayerErrors(ctx, form, samples[:min(len(samples), sensitive)])
		if err != nil {
			return Form{}, err
		}
		sum := 0.
		for _, l := range layers {
			sum += l.Error
		}
		if sum < least {
			best, least = form, sum
		}
		c.opts.step("try methods", i+1, len(Methods())-1)
	}
	return best, nil
}

// keepSome keeps the most sensitive layers in float32, twice as many each time.
func (c *Calibrated) keepSome(ctx context.Context, first Found, samples []Sample, w Wanted) (Found, error) {
	order, err := c.Sensitivity(ctx, samples[:min(sensitive, len(samples))])
	if err != nil {
		return Found{}, err
	}
	best := first
	for i := range mostTries {
		many := 1 << i
		if many > len(order)/2 {
			break
		}
		form := first.Form
		form.Keep = slices.Clone(form.Keep)
		for _, layer := range order[:many] {
			form.Keep = append(form.Keep, layer.Layer)
		}
		next, err := c.judge(ctx, form, w)
		if err != nil {
			return Found{}, err
		}
		next.Best = best.Tried
		if next.Tried = best.Tried + 1; next.Drop <= w.MaxDrop {
			return next, nil
		}
		if best.Tried = next.Tried; next.Drop < best.Drop {
			best = next
		}
	}
	return best, nil
}

func (c *Calibrated) judge(ctx context.Context, form Form, w Wanted) (Found, error) {
	model, err := c.Model(form)
	if err != nil {
		return Found{}, err
	}
	graph, err := c.loadWhole(ctx, model)
	if err != nil {
		return Found{}, err
	}
	drop, err := w.Drop(ctx, graph)
	return Found{Form: form, ONNX: model, Drop: drop}, errors.Join(err, graph.Close())
}

func (c *Calibrated) loadWhole(ctx context.Context, model []byte) (infer.Graph, error) {
	return c.opts.Backend.Load(ctx, infer.Source{ONNX: model, Spec: c.opts.Spec})
}
