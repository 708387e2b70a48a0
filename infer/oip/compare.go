// SPDX-License-Identifier: Apache-2.0

package oip

import (
	"fmt"
	"slices"

	"edgex-offload/infer"
	"edgex-offload/infer/oip/inference"
)

// compare sees that a model.onnx beside model.yaml is the model that the server runs, as far
// as its inputs and outputs tell. Without a file, or without Describe, it sees nothing.
func (c *Client) compare(onnx []byte, a answers) error {
	if onnx == nil || c.opts.Describe == nil {
		return nil
	}
	inputs, outputs, err := c.opts.Describe(onnx)
	if err != nil {
		return err
	}
	if err := compareAll("input", inputs, a.inputs, c.provider()); err != nil {
		return err
	}
	return compareAll("output", outputs, a.outputs, c.provider())
}

func compareAll(what string, here []infer.Port, there []*inference.ModelMetadataResponse_TensorMetadata, server string) error {
	const advice = "they are different models: put the server's file here, remove this one, or correct oip.model and oip.version"
	for _, p := range here {
		at := slices.IndexFunc(there, func(m *inference.ModelMetadataResponse_TensorMetadata) bool { return m.GetName() == p.Name })
		if at < 0 {
			return fmt.Errorf("%s has %s %q, %s has %s: %s", infer.GraphFile, what, p.Name, server, namesOf(there), advice)
		}
		if other := portOf(there[at], false); other.Type != p.Type || !agree(p.Shape, other.Shape) {
			return fmt.Errorf("%s has %s %q as %s %v, %s has it as %s %v: %s", infer.GraphFile, what, p.Name, p.Type, p.Shape, server, other.Type, other.Shape, advice)
		}
	}
	return nil
}

// agree says whether two shapes can be one: -1 is any size, nil is unknown, and the server's
// may lack the batch.
func agree(here, there []int64) bool {
	if here == nil {
		return true
	}
	if len(there) == len(here)-1 {
		here = here[1:]
	}
	return slices.EqualFunc(here, there, func(a, b int64) bool { return a < 0 || b < 0 || a == b })
}
