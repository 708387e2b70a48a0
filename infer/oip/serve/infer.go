// SPDX-License-Identifier: Apache-2.0

package serve

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"edgex-offload/infer"
	"edgex-offload/infer/oip/inference"
	"edgex-offload/infer/oip/wire"
)

// maxID bounds a request's id, which the answer has too.
const maxID = 256

// ModelInfer implements the protocol. What is wrong with a request is said before it waits.
func (s *Service) ModelInfer(ctx context.Context, r *inference.ModelInferRequest) (*inference.ModelInferResponse, error) {
	t, err := s.opts.Models.Tensors(r.GetModelName(), r.GetModelVersion())
	if err != nil {
		return nil, statusOf(err)
	}
	q, err := read(r, t.About)
	if err != nil {
		return nil, err
	}
	variant := t.Name + "/" + t.Version
	answer := &inference.ModelInferResponse{ModelName: t.Name, ModelVersion: t.Version, Id: r.GetId()}
	err = s.opts.Admit(ctx, "of "+variant, variant, q.bytes, func(ctx context.Context) error {
		err := t.Run(ctx, q.batch, q.fill, func(outputs []infer.Tensor) error {
			return s.write(answer, q, t.About, outputs)
		})
		if _, is := status.FromError(err); is || err == nil || ctx.Err() != nil {
			return err
		}
		return statusOf(err)
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// query is a request that was found right.
type query struct {
	batch  int
	bytes  int
	inputs []content // in the graph's order
	wanted []int     // outputs, by their place in the graph
	raw    bool      // its values came as raw contents, and so do the answer's
}

// content is one input's values as they came.
type content struct {
	name     string
	datatype wire.Datatype
	elements int
	raw      []byte
	contents *inference.InferTensorContents
}

// read checks a request against the graph.
func read(r *inference.ModelInferRequest, about infer.About) (query, error) {
	q := query{raw: len(r.GetRawInputContents()) > 0}
	if len(r.GetId()) > maxID {
		return q, invalid("id of %d bytes: allowed are up to %d", len(r.GetId()), maxID)
	}
	if err := refuse(r.GetParameters(), "the request", "sequence_id", "sequence_start", "sequence_end"); err != nil {
		return q, err
	}
	if len(r.GetInputs()) != len(about.Inputs) {
		return q, invalid("%d inputs: the model takes %d: %s", len(r.GetInputs()), len(about.Inputs), namesOf(about.Inputs))
	}
	if q.raw && len(r.GetRawInputContents()) != len(r.GetInputs()) {
		return q, invalid("%d raw_input_contents for %d inputs: needed is one each", len(r.GetRawInputContents()), len(r.GetInputs()))
	}
	for _, port := range about.Inputs {
		at := slices.IndexFunc(r.GetInputs(), func(in *inference.ModelInferRequest_InferInputTensor) bool { return in.GetName() == port.Name })
		if at < 0 {
			return q, invalid("input %q is missing: the model takes %s", port.Name, namesOf(about.Inputs))
		}
		if err := q.take(r, at, port, about); err != nil {
			return q, err
		}
	}
	return q, q.want(r.GetOutputs(), about.Outputs)
}

// take checks one input.
func (q *query) take(r *inference.ModelInferRequest, at int, port infer.Port, about infer.About) error {
	in := r.GetInputs()[at]
	if err := refuse(in.GetParameters(), fmt.Sprintf("input %q", port.Name), "shared_memory_region"); err != nil {
		return err
	}
	c := content{name: port.Name, datatype: wire.Datatype(in.GetDatatype())}
	if c.datatype != wire.OfPort(port.Type) {
		return invalid("input %q is of type %q: the model takes %s", port.Name, clip(in.GetDatatype(), 40), wire.OfPort(port.Type))
	}
	shape, want := in.GetShape(), shapeOf(port, about.Batches)
	fits := len(shape) <= wire.MaxRank && (port.Shape == nil || slices.EqualFunc(want, shape, func(want, got int64) bool { return want == got || want < 0 && got > 0 }))
	n, ok := wire.Elements(shape, 1<<30)
	if !fits || !ok {
		return invalid("input %q has shape %v: the model takes %v", port.Name, shape[:min(len(shape), wire.MaxRank)], want)
	}
	if err := q.takeBatch(port.Name, shape, about); err != nil {
		return err
	}
	c.elements = n
	var have int
	if q.raw {
		if in.GetContents() != nil {
			return invalid("input %q has contents beside raw_input_contents: allowed is one of them", port.Name)
		}
		c.raw = r.GetRawInputContents()[at]
		have = len(c.raw) / c.datatype.Size()
		q.bytes += len(c.raw)
		if len(c.raw)%c.datatype.Size() != 0 {
			have = -1
		}
	} else {
		c.contents = in.GetContents()
		have = wire.Count(c.datatype, c.contents)
		q.bytes += have * c.datatype.Size()
	}
	if have != n {
		return invalid("input %q of type %s and shape %v needs %d values, %d bytes: %s", port.Name, c.datatype, shape, n, n*c.datatype.Size(), c.has(have))
	}
	q.inputs = append(q.inputs, c)
	return nil
}

// has says what came instead.
func (c content) has(values int) string {
	if c.contents == nil {
		return fmt.Sprintf("it has %d bytes", len(c.raw))
	}
	return fmt.Sprintf("its contents of that type are %d values", values)
}

// takeBatch sees that all inputs have the same batch, and that it is not too large.
func (q *query) takeBatch(name string, shape []int64, about infer.About) error {
	batch := 1
	if about.Batches && len(shape) > 0 {
		batch = int(shape[0])
	}
	if batch > about.MostBatch {
		return invalid("input %q has a batch of %d: allowed are up to %d", name, batch, about.MostBatch)
	}
	if q.batch != 0 && q.batch != batch {
		return invalid("input %q has a batch of %d, another one of %d: they have to be the same", name, batch, q.batch)
	}
	q.batch = batch
	return nil
}

// want finds the outputs that are asked for; none named is all.
func (q *query) want(asked []*inference.ModelInferRequest_InferRequestedOutputTensor, outputs []infer.Port) error {
	for _, o := range asked {
		if err := refuse(o.GetParameters(), fmt.Sprintf("output %q", clip(o.GetName(), 40)), "shared_memory_region", "classification"); err != nil {
			return err
		}
		at := slices.IndexFunc(outputs, func(p infer.Port) bool { return p.Name == o.GetName() })
		switch {
		case at < 0:
			return invalid("output %q: the model has %s", clip(o.GetName(), 40), namesOf(outputs))
		case slices.Contains(q.wanted, at):
			return invalid("output %q is asked for twice", o.GetName())
		}
		q.wanted = append(q.wanted, at)
	}
	if len(asked) == 0 {
		for i := range outputs {
			q.wanted = append(q.wanted, i)
		}
	}
	return nil
}

// refuse refuses parameters of Triton's that would change what a request means.
func refuse(parameters map[string]*inference.InferParameter, of string, names ...string) error {
	for _, name := range names {
		if p, has := parameters[name]; has && (p.GetBoolParam() || p.GetInt64Param() != 0 || p.GetStringParam() != "" || p.GetUint64Param() != 0) {
			return invalid("parameter %q of %s is not served here: leave it out", name, of)
		}
	}
	return nil
}

// fill writes the inputs into the graph's memory.
func (q *query) fill(inputs [][]float32) error {
	for i, input := range inputs {
		c := q.inputs[i]
		if len(input) != c.elements {
			return invalid("input %q has %d values: the model takes %d with a batch of %d", c.name, c.elements, len(input), q.batch)
		}
		if c.contents == nil {
			wire.Get(input, c.datatype, c.raw)
			continue
		}
		if err := wire.GetContents(input, c.datatype, c.contents); err != nil {
			return invalid("input %q: %v", c.name, err)
		}
	}
	return nil
}

// write puts the outputs that were asked for into an answer, in the form in which the
// request's values came. What has no such form is raw.
func (s *Service) write(answer *inference.ModelInferResponse, q query, about infer.About, outputs []infer.Tensor) error {
	answer.Outputs, answer.RawOutputContents = nil, nil // it may be run again
	raw, total := q.raw, 0
	for _, i := range q.wanted {
		d := wire.OfPort(about.Outputs[i].Type)
		total += len(outputs[i].Data) * d.Size()
		raw = raw || d == wire.FP16 || d == wire.BF16
	}
	if room := s.opts.MessageLimit - 4096; total > room {
		return status.Errorf(codes.ResourceExhausted, "the outputs have %d bytes: an answer holds up to %d; ask for fewer, or for a smaller batch", total, room)
	}
	for _, i := range q.wanted {
		d := wire.OfPort(about.Outputs[i].Type)
		out := &inference.ModelInferResponse_InferOutputTensor{
			Name: about.Outputs[i].Name, Datatype: string(d), Shape: slices.Clone(outputs[i].Shape),
		}
		answer.Outputs = append(answer.Outputs, out)
		if !raw {
			out.Contents, _ = wire.Contents(d, outputs[i].Data) // each type here has a field
			continue
		}
		content := make([]byte, len(outputs[i].Data)*d.Size())
		wire.Put(content, d, outputs[i].Data)
		answer.RawOutputContents = append(answer.RawOutputContents, content)
	}
	return nil
}

func namesOf(ports []infer.Port) string {
	names := ""
	for i, p := range ports[:min(len(ports), 20)] {
		if i > 0 {
			names += ", "
		}
		names += fmt.Sprintf("%q", p.Name)
	}
	return names
}
