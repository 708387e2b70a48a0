// SPDX-License-Identifier: Apache-2.0

package quantize

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"edgex-offload/infer"
	"edgex-offload/infer/onnx"
	"edgex-offload/infer/onnx/onnxpb"
)

const (
	// maxTensors bounds the ranges that are learnt; a histogram takes 64 KiB.
	maxTensors = 4096
	// chunkValues is how many values one run may show: 64 MiB, or one tensor.
	chunkValues = 16 << 20
	// shapeTensors is how many shapes one run shows.
	shapeTensors = 256
)

type nodeProto = *onnxpb.NodeProto

// learn runs the graph on the samples and finds the range of each tensor. It takes as many
// passes over them as the memory for what is shown demands.
func (c *Calibrated) learn(ctx context.Context, tensors []string, samples []Sample) error {
	if len(tensors) > maxTensors {
		return fmt.Errorf("%d tensors to calibrate: allowed are up to %d", len(tensors), maxTensors)
	}
	var err error
	if c.shapes, err = c.shapesOf(ctx, tensors, samples[0]); err != nil {
		return err
	}
	c.ranges = map[string]ranges{}
	chunks := c.chunks(tensors)
	for i, chunk := range chunks {
		if err := c.learnChunk(ctx, chunk, samples, i*len(samples), len(chunks)*len(samples)); err != nil {
			return err
		}
	}
	return nil
}

func (c *Calibrated) learnChunk(ctx context.Context, chunk []string, samples []Sample, done, of int) error {
	graph, err := c.load(ctx, c.n, chunk)
	if err != nil {
		return err
	}
	defer graph.Close()
	counts := make([]histogram, len(chunk))
	for i, s := range samples {
		err := run(ctx, graph, s, func(outputs []infer.Tensor) error {
			for k := range chunk {
				if err := counts[k].add(outputs[k].Data); err != nil {
					return fmt.Errorf("sample %d: tensor %q has %w: are input.scale, mean and std as in training?", i, chunk[k], err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		c.opts.step("calibrate", done+i+1, of)
	}
	for k, name := range chunk {
		c.ranges[name] = counts[k].ranges()
	}
	return nil
}

// chunks deals tensors to runs, as many to each as memory allows.
func (c *Calibrated) chunks(tensors []string) [][]string {
	var list [][]string
	room := int64(0)
	for _, name := range tensors {
		size := valuesOf(c.shapes[name])
		if room -= size; room < 0 || len(list) == 0 {
			list = append(list, nil)
			room = chunkValues - size
		}
		list[len(list)-1] = append(list[len(list)-1], name)
	}
	return list
}

// shapesOf has a run show the shapes of tensors, with a batch of one.
func (c *Calibrated) shapesOf(ctx context.Context, tensors []string, s Sample) (map[string][]int64, error) {
	shapes := map[string][]int64{}
	for some := range slices.Chunk(tensors, shapeTensors) {
		n := c.n.clone()
		shown := make([]string, len(some))
		for i, name := range some {
			shown[i] = n.free(name + "_shape")
			node := newNode("Shape", shown[i], []string{name}, []string{shown[i]})
			n.graph.Node = append(n.graph.Node, node)
			n.maker[shown[i]] = node
		}
		graph, err := c.loadOf(ctx, n, shown, onnxpb.TensorProto_INT64)
		if err != nil {
			return nil, err
		}
		err = run(ctx, graph, s, func(outputs []infer.Tensor) error {
			for i, name := range some {
				for _, d := range outputs[i].Data {
					shapes[name] = append(shapes[name], int64(d))
				}
			}
			return nil
		})
		if err != nil {
			_ = graph.Close() // the first error says why
			return nil, err
		}
		if err := graph.Close(); err != nil {
			return nil, err
		}
	}
	return shapes, nil
}

func valuesOf(shape []int64) int64 {
	n := int64(1)
	for _, d := range shape {
		n *= d // of a tensor that was in memory
	}
	return n
}

// load makes a graph that shows tensors of float32.
func (c *Calibrated) load(ctx context.Context, n *network, show []string) (infer.Graph, error) {
	return c.loadOf(ctx, n.clone(), show, onnxpb.TensorProto_FLOAT)
}

func (c *Calibrated) loadOf(ctx context.Context, n *network, show []string, kind onnxpb.TensorProto_DataType) (infer.Graph, error) {
	n.graph.Output = nil
	spec := c.opts.Spec
	spec.Outputs = nil
	for _, name := range show {
		if n.inputs[name] { // some backends show what a node makes alone
			through := n.free(name + "_shown")
			n.graph.Node = append(n.graph.Node, newNode("Identity", through, []string{name}, []string{through}))
			name = through
		}
		n.graph.Output = append(n.graph.Output, onnx.TensorValue(name, int32(kind), nil))
		spec.Outputs = append(spec.Outputs, name)
	}
	model, err := proto.MarshalOptions{Deterministic: true}.Marshal(n.model)
	if err != nil {
		return nil, err
	}
	return c.opts.Backend.Load(ctx, infer.Source{ONNX: model, Spec: spec})
}

// run feeds a graph one sample.
func run(ctx context.Context, graph infer.Graph, s Sample, read func([]infer.Tensor) error) error {
	fill := func(inputs [][]float32) error {
		if len(inputs) != len(s) {
			return fmt.Errorf("a sample has %d inputs: the graph has %d", len(s), len(inputs))
		}
		for i, in := range inputs {
			if len(in) != len(s[i]) {
				return fmt.Errorf("input %d of a sample has %d values: the graph's has %d", i, len(s[i]), len(in))
			}
			copy(in, s[i])
		}
		return nil
	}
	return graph.Run(ctx, 1, fill, read)
}
