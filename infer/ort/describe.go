// SPDX-License-Identifier: Apache-2.0

package ort

import "edgex-offload/infer"

// Describe reads from a model.onnx which inputs it is fed and which outputs it has. It loads
// nothing and needs no library.
func Describe(model []byte) (inputs, outputs []infer.Port, err error) {
	h, err := parseGraph(model)
	if err != nil {
		return nil, nil, err
	}
	var fed []value
	for _, v := range h.inputs {
		if !h.weights[v.name] {
			fed = append(fed, v)
		}
	}
	return ports(fed), ports(h.outputs), nil
}
