// SPDX-License-Identifier: Apache-2.0

package quantize

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"edgex-offload/infer"
)

// Options of Calibrate.
type Options struct {
	// Backend runs the graph, as ort.New does.
	Backend infer.Backend
	// Spec is the model's file: what the graph is fed.
	Spec infer.Spec
	// Method finds the ranges of activations; the default is Auto.
	Method Method
	// Keep names nodes that stay in float32, by their name, or that of their first output.
	Keep []string
	// PerTensor gives a layer one step instead of one per channel: a little smaller, and less
	// exact where channels differ.
	PerTensor bool
	// ReduceRange makes weights of 7 bits. A CPU with AVX2 or AVX-512 but without VNNI adds
	// two products in int16, which 8 bits overflow; with VNNI, and on Arm, it only costs
	// exactness.
	ReduceRange bool
	// Now is the clock that Search tries forms by; the default is the wall's.
	Now func() time.Time
	// Step, if set, is called as work goes on, with what is being done and how far it is.
	Step func(what string, done, of int)
}

func (o Options) end() int {
	if o.ReduceRange {
		return reducedWeightEnd
	}
	return weightEnd
}

func (o Options) step(what string, done, of int) {
	if o.Step != nil {
		o.Step(what, done, of)
	}
}

// Calibrated is a graph whose ranges are known.
type Calibrated struct {
	opts       Options
	n          *network
	ranges     map[string]ranges
	shapes     map[string][]int64 // of the tensors with ranges, with a batch of one
	perChannel bool
	layers     []string
}

// Calibrate readies a graph and learns the range of each tensor that is to be quantized.
func Calibrate(ctx context.Context, model []byte, samples []Sample, o Options) (*Calibrated, error) {
	if o.Method == "" {
		o.Method = Auto
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if err := o.Method.check(); err != nil {
		return nil, err
	}
	if len(samples) == 0 {
		return nil, errors.New("samples: none: at least one is needed, and some hundreds that look like the work to come are better")
	}
	n, perChannel, err := ready(model)
	if err != nil {
		return nil, err
	}
	c := &Calibrated{opts: o, n: n, perChannel: perChannel && !o.PerTensor}
	if err := c.checkKeep(); err != nil {
		return nil, err
	}
	p := n.newPlan(c.keep(nil))
	for _, node := range p.layers() {
		c.layers = append(c.layers, nameOf(node))
	}
	if len(c.layers) == 0 {
		return nil, errors.New("there is nothing to quantize: the graph has no Conv, Gemm or MatMul with float32 weights in the file that is not kept (float16 weights: quantize the float32 model)")
	}
	return c, c.learn(ctx, p.tensors(), samples)
}

// ready parses a graph and writes it so that it can be quantized.
func ready(model []byte) (*network, bool, error) {
	n, err := parse(model)
	if err != nil {
		return nil, false, err
	}
	if n.integers() {
		return nil, false, errors.New("the graph has QuantizeLinear in it: it is quantized already")
	}
	perChannel, err := n.upgrade()
	if err != nil {
		return nil, false, err
	}
	if err := n.tidy(); err != nil {
		return nil, false, err
	}
	if err := n.constantShapes(); err != nil {
		return nil, false, err
	}
	return n, perChannel, n.fold()
}

func (n *network) integers() bool {
	for _, node := range n.graph.Node {
		if standard(node, "QuantizeLinear", "DequantizeLinear", "QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger") {
			return true
		}
	}
	return false
}

// checkKeep sees that each node to keep is there.
func (c *Calibrated) checkKeep() error {
	var names []string
	for _, node := range c.n.graph.Node {
		if c.n.classOf(node) == compute {
			names = append(names, nameOf(node))
		}
	}
	for _, name := range c.opts.Keep {
		if !slices.ContainsFunc(c.n.graph.Node, func(node nodeProto) bool { return nameOf(node) == name }) {
			return fmt.Errorf("keep %q: the graph has no such node; its layers are %s", name, strings.Join(names, ", "))
		}
	}
	return nil
}

func (c *Calibrated) keep(more []string) map[string]bool {
	all := map[string]bool{}
	for _, name := range slices.Concat(c.opts.Keep, more) {
		all[name] = true
	}
	return all
}

// Layers names the layers with weights that are quantized unless they are kept, in the order
// in which they run.
func (c *Calibrated) Layers() []string { return slices.Clone(c.layers) }

// Form is a way to write a graph in integers.
type Form struct {
	// Keep names layers that stay in float32, as well as those of Options.Keep.
	Keep []string
	// Columns has convolutions over a picture's few channels work on groups of its columns,
	// which are columns of more channels: more multiplications, and the fast kernel. Which of
	// the two is faster depends on the processor and the layer.
	Columns bool
	// Method overrides that of the options; without either it is MSE.
	Method Method
}

// Model writes the integer version.
func (c *Calibrated) Model(f Form) ([]byte, error) {
	n, err := c.form(f)
	if err != nil {
		return nil, err
	}
	m, err := n.checked()
	if err != nil {
		return nil, err
	}
	return m.Marshal()
}

func (c *Calibrated) form(f Form) (*network, error) {
	n := c.n.clone()
	if f.Method == "" {
		f.Method = c.opts.Method
	}
	if f.Method == Auto {
		f.Method = MSE
	}
	w := &writer{
		plan: n.newPlan(c.keep(f.Keep)), learnt: c, form: f,
		scales: map[string]scale{}, names: map[scale][2]string{},
		columns: map[nodeProto]columns{}, quantizers: map[string]nodeProto{},
	}
	return n, w.write()
}
