// SPDX-License-Identifier: Apache-2.0

package ort

import (
	"google.golang.org/protobuf/encoding/protowire"

	"edgex-offload/infer"
)

// Field numbers of onnx.proto for the notes of a model.
const (
	modelMetadata protowire.Number = 14
	entryKey      protowire.Number = 1
	entryValue    protowire.Number = 2
)

// Bounds of what is taken over from a model's notes.
const (
	maxNotes     = 64
	maxNoteBytes = 64 << 10
)

// Description is what a model.onnx says of itself.
type Description struct {
	// Inputs without those that are weights as well, and Outputs.
	Inputs, Outputs []infer.Port
	// Notes are the model's metadata, as exporters write them ("names", "stride").
	Notes map[string]string
}

// Describe reads a model.onnx. It needs no ONNX Runtime.
func Describe(onnx []byte) (Description, error) {
	inputs, outputs, err := PortsOf(onnx)
	if err != nil {
		return Description{}, err
	}
	d := Description{Inputs: inputs, Outputs: outputs, Notes: map[string]string{}}
	err = eachField(onnx, func(f field) error {
		if f.number != modelMetadata || f.kind != protowire.BytesType || len(d.Notes) == maxNotes || len(f.bytes) > maxNoteBytes {
			return nil
		}
		key, err := stringField(f.bytes, entryKey)
		if err != nil {
			return err
		}
		d.Notes[key], err = stringField(f.bytes, entryValue)
		return err
	})
	return d, err
}

// PortsOf reads from a model.onnx which inputs it is fed and which outputs it has.
func PortsOf(onnx []byte) (inputs, outputs []infer.Port, err error) {
	head, err := parseGraph(onnx)
	if err != nil {
		return nil, nil, err
	}
	var fed []value
	for _, v := range head.inputs {
		if !head.weights[v.name] {
			fed = append(fed, v)
		}
	}
	return ports(fed), ports(head.outputs), nil
}
