// SPDX-License-Identifier: Apache-2.0

package oip

import (
	"fmt"
	"slices"
	"sync/atomic"

	pb "google.golang.org/protobuf/proto"

	"edgex-offload/infer"
	"edgex-offload/infer/oip/inference"
	"edgex-offload/infer/oip/wire"
)

// slot is the memory of one run. It is used again when the run has ended and the transport
// let go of what was sent, which after a broken call can be later.
type slot struct {
	graph *graph
	refs  atomic.Int32

	batch    int
	inputs   [][]float32 // what fill writes
	raw      [][]byte    // what is sent: the same memory where the type is FP32
	request  wire.Request
	response wire.Response
	outputs  [][]float32
	tensors  []infer.Tensor
}

func newSlot(g *graph) *slot {
	s := &slot{
		graph:   g,
		inputs:  make([][]float32, len(g.plan.inputs)),
		raw:     make([][]byte, len(g.plan.inputs)),
		outputs: make([][]float32, len(g.plan.outputs)),
		tensors: make([]infer.Tensor, len(g.plan.outputs)),
	}
	s.request.Owner = s
	return s
}

// Hold implements wire.Owner.
func (s *slot) Hold() { s.refs.Add(1) }

// Release implements wire.Owner.
func (s *slot) Release() {
	if s.refs.Add(-1) == 0 {
		s.graph.put(s)
	}
}

// prepare has room for a batch, and the message without its values.
func (s *slot) prepare(batch, limit int) error {
	if s.batch == batch {
		return nil
	}
	s.batch = 0 // until all of it is as large
	total := 0
	for i, p := range s.graph.plan.inputs {
		each := p.elements * p.datatype.Size()
		if each > 0 && batch > (limit-total)/each {
			return fmt.Errorf("a batch of %d, of %d bytes each: allowed are up to %d in all (MessageBytes)", batch, each, limit)
		}
		n := p.elements * batch
		total += each * batch
		s.inputs[i] = grown(s.inputs[i], n)
		if plain := wire.Bytes(s.inputs[i]); p.datatype == wire.FP32 && plain != nil {
			s.raw[i] = plain
		} else {
			s.raw[i] = grown(s.raw[i], n*p.datatype.Size())
		}
	}
	head, err := pb.Marshal(s.graph.head(batch))
	if err != nil {
		return err
	}
	s.batch, s.request.Head, s.request.Raw = batch, head, s.raw
	return nil
}

// head is the message without its values.
func (g *graph) head(batch int) *inference.ModelInferRequest {
	m := &inference.ModelInferRequest{ModelName: g.name.Model, ModelVersion: g.name.Version}
	for _, p := range g.plan.inputs {
		shape := slices.Clone(p.shape)
		if p.batched {
			shape[0] = int64(batch)
		}
		m.Inputs = append(m.Inputs, &inference.ModelInferRequest_InferInputTensor{Name: p.name, Datatype: string(p.datatype), Shape: shape})
	}
	for _, p := range g.plan.outputs {
		m.Outputs = append(m.Outputs, &inference.ModelInferRequest_InferRequestedOutputTensor{Name: p.name})
	}
	return m
}

// encode makes what is sent of what fill wrote.
func (s *slot) encode() {
	for i, p := range s.graph.plan.inputs {
		if p.datatype != wire.FP32 || wire.Bytes(s.inputs[i]) == nil {
			wire.Put(s.raw[i], p.datatype, s.inputs[i])
		}
	}
}

// decode reads the outputs in the plan's order, each as the server said it would be.
func (s *slot) decode() ([]infer.Tensor, error) {
	answered, raw := s.response.Message.GetOutputs(), s.response.Raw
	if len(raw) > 0 && len(raw) != len(answered) {
		return nil, fmt.Errorf("the answer has %d outputs and %d raw contents: they have to be as many", len(answered), len(raw))
	}
	for i, p := range s.graph.plan.outputs {
		at := slices.IndexFunc(answered, func(o *inference.ModelInferResponse_InferOutputTensor) bool { return o.GetName() == p.name })
		if at < 0 {
			return nil, fmt.Errorf("the answer lacks output %q", p.name)
		}
		n, err := s.checkOutput(p, answered[at])
		if err != nil {
			return nil, err
		}
		if len(raw) > 0 {
			err = s.getRaw(i, n, raw[at])
		} else {
			err = s.getContents(i, n, answered[at].GetContents())
		}
		if err != nil {
			return nil, fmt.Errorf("the answer's output %q of shape %v: %w", p.name, answered[at].GetShape(), err)
		}
		s.tensors[i] = infer.Tensor{Name: p.name, Shape: s.shown(answered[at].GetShape()), Data: s.outputs[i]}
	}
	return s.tensors, nil
}

// checkOutput compares an output with what the server said of it before, and counts its
// values.
func (s *slot) checkOutput(p port, o *inference.ModelInferResponse_InferOutputTensor) (int, error) {
	if got := wire.Datatype(o.GetDatatype()); got != p.datatype {
		return 0, fmt.Errorf("the answer's output %q is of type %s: the model's is %s", p.name, clip(string(got)), p.datatype)
	}
	shape := o.GetShape()
	n, ok := wire.Elements(shape, s.graph.client.opts.MessageBytes) // a value has a byte at least
	fits := len(shape) <= wire.MaxRank && slices.EqualFunc(p.shape, shape, func(said, got int64) bool { return said < 0 || said == got })
	batched := !s.graph.plan.about.Batches || len(shape) > 0 && shape[0] == int64(s.batch)
	if !ok || !fits || !batched {
		return 0, fmt.Errorf("the answer's output %q has shape %v for a batch of %d: the model's is %v", p.name, shape[:min(len(shape), wire.MaxRank)], s.batch, p.shape)
	}
	return n, nil
}

// getRaw reads the n values of output i. They are counted before there is memory for them:
// a shape may claim what was not sent.
func (s *slot) getRaw(i, n int, content []byte) error {
	d := s.graph.plan.outputs[i].datatype
	if want := n * d.Size(); len(content) != want {
		return fmt.Errorf("it has %d bytes: needed are %d", len(content), want)
	}
	s.outputs[i] = grown(s.outputs[i], n)
	wire.Get(s.outputs[i], d, content)
	return nil
}

func (s *slot) getContents(i, n int, contents *inference.InferTensorContents) error {
	d := s.graph.plan.outputs[i].datatype
	if have := wire.Count(d, contents); have != n {
		return fmt.Errorf("the contents of type %s are %d values: needed are %d", d, have, n)
	}
	s.outputs[i] = grown(s.outputs[i], n)
	return wire.GetContents(s.outputs[i], d, contents)
}

// shown is an output's shape with a batch in front, as decoders expect it.
func (s *slot) shown(shape []int64) []int64 {
	if len(s.graph.plan.inputs) > 0 && !s.graph.plan.inputs[0].batched {
		return append([]int64{1}, shape...)
	}
	return shape
}

// grown is a slice of n, in the memory of another one where that suffices.
func grown[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
