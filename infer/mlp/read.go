// SPDX-License-Identifier: Apache-2.0

package mlp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// maxFile bounds a file: MaxLayers of MaxWidth take 2.1 MB.
const maxFile = 4 << 20

// ErrOther says that a file is ONNX, or may be, but no network of this package: ONNX Runtime
// may well run it.
var ErrOther = errors.New("not a chain of Gemm and Relu from \"" + InputName + "\" to \"" + OutputName + "\" as ONNX writes it")

// Read reads a network as ONNX writes it, and its metadata.
func Read(file []byte) (*Network, map[string]string, error) {
	if len(file) > maxFile {
		return nil, nil, fmt.Errorf("%d bytes: allowed are up to %d", len(file), maxFile)
	}
	f := onnxFile{tensors: map[string]stored{}, metadata: map[string]string{}}
	if err := each(file, f.readModel); err != nil {
		return nil, nil, err
	}
	n, err := f.network()
	if err != nil {
		return nil, nil, err
	}
	return n, f.metadata, n.Validate()
}

// Metadata reads what an ONNX file of any network says of itself.
func Metadata(file []byte) (map[string]string, error) {
	if len(file) > maxFile {
		return nil, fmt.Errorf("%d bytes: allowed are up to %d", len(file), maxFile)
	}
	f := onnxFile{metadata: map[string]string{}}
	err := each(file, func(number protowire.Number, varint uint64, bytes []byte) error {
		if number != modelMetadata {
			return nil
		}
		return f.readModel(number, varint, bytes)
	})
	return f.metadata, err
}

// onnxFile is what is read of one.
type onnxFile struct {
	nodes    []node
	tensors  map[string]stored
	metadata map[string]string
}

type node struct {
	op, output string
	inputs     []string
	transposed bool
	attributes int
}

type stored struct {
	name   string
	dims   []int
	values []float32
}

func (f *onnxFile) readModel(number protowire.Number, varint uint64, bytes []byte) error {
	switch number {
	case modelGraph:
		return each(bytes, f.readGraph)
	case modelMetadata:
		var key, value string
		err := each(bytes, func(number protowire.Number, _ uint64, bytes []byte) error {
			switch number {
			case entryKey:
				key = string(bytes)
			case entryValue:
				value = string(bytes)
			}
			return nil
		})
		f.metadata[key] = value
		return err
	}
	return nil
}

func (f *onnxFile) readGraph(number protowire.Number, _ uint64, bytes []byte) error {
	switch number {
	case graphNode:
		n, err := readNode(bytes)
		if len(f.nodes) == 2*MaxLayers {
			return fmt.Errorf("%w: more than %d layers", ErrOther, MaxLayers)
		}
		f.nodes = append(f.nodes, n)
		return err
	case graphInitializer:
		t, err := readTensor(bytes)
		f.tensors[t.name] = t
		return err
	}
	return nil
}

func readNode(bytes []byte) (n node, err error) {
	err = each(bytes, func(number protowire.Number, _ uint64, bytes []byte) error {
		switch number {
		case nodeInput:
			n.inputs = append(n.inputs, string(bytes))
		case nodeOutput:
			n.output = string(bytes)
		case nodeOp:
			n.op = string(bytes)
		case nodeAttribute:
			n.attributes++
			return each(bytes, func(number protowire.Number, varint uint64, bytes []byte) error {
				switch number {
				case attributeName:
					n.transposed = string(bytes) == "transB"
				case attributeInt:
					n.transposed = n.transposed && varint == 1
				}
				return nil
			})
		}
		return nil
	})
	return n, err
}

func readTensor(bytes []byte) (t stored, err error) {
	kind := uint64(0)
	err = each(bytes, func(number protowire.Number, varint uint64, bytes []byte) error {
		switch number {
		case tensorDims:
			t.dims = append(t.dims, int(min(varint, maxFile)))
		case tensorType:
			kind = varint
		case tensorName:
			t.name = string(bytes)
		case tensorRaw:
			if len(bytes)%4 != 0 {
				return fmt.Errorf("%w: tensor %q has %d bytes", ErrOther, t.name, len(bytes))
			}
			t.values = make([]float32, len(bytes)/4)
			for i := range t.values {
				t.values[i] = math.Float32frombits(binary.LittleEndian.Uint32(bytes[4*i:]))
			}
		}
		return nil
	})
	if err == nil && kind != onnxFloat {
		err = fmt.Errorf("%w: tensor %q is not float32", ErrOther, t.name)
	}
	return t, err
}

// network puts the nodes together.
func (f *onnxFile) network() (*Network, error) {
	n, at := &Network{}, InputName
	for i := 0; i < len(f.nodes); i += 2 {
		g := &f.nodes[i]
		if g.op != "Gemm" || len(g.inputs) != 3 || g.inputs[0] != at || !g.transposed || g.attributes != 1 {
			return nil, fmt.Errorf("%w: node %d is %s of %q", ErrOther, i, g.op, g.inputs)
		}
		w, b := f.tensors[g.inputs[1]], f.tensors[g.inputs[2]]
		if len(w.dims) != 2 || len(b.dims) != 1 || b.dims[0] != w.dims[0] {
			return nil, fmt.Errorf("%w: node %d has weights of %d and biases of %d", ErrOther, i, w.dims, b.dims)
		}
		n.Layers = append(n.Layers, Layer{In: w.dims[1], Out: w.dims[0], Weights: w.values, Bias: b.values})
		if at = g.output; i+1 == len(f.nodes) {
			break
		}
		r := &f.nodes[i+1]
		if r.op != "Relu" || len(r.inputs) != 1 || r.inputs[0] != at || r.attributes != 0 {
			return nil, fmt.Errorf("%w: node %d is %s of %q", ErrOther, i+1, r.op, r.inputs)
		}
		at = r.output
	}
	if at != OutputName || len(f.nodes)%2 == 0 {
		return nil, fmt.Errorf("%w: it ends in %q", ErrOther, at)
	}
	return n, nil
}

// each reads the fields of a message: numbers as varint, the rest as bytes.
func each(b []byte, do func(number protowire.Number, varint uint64, bytes []byte) error) error {
	for len(b) > 0 {
		number, kind, size := protowire.ConsumeTag(b)
		if size < 0 {
			return fmt.Errorf("%w: %w", ErrOther, protowire.ParseError(size))
		}
		length := protowire.ConsumeFieldValue(number, kind, b[size:])
		if length < 0 {
			return fmt.Errorf("%w: %w", ErrOther, protowire.ParseError(length))
		}
		var varint uint64
		var bytes []byte
		switch kind {
		case protowire.VarintType:
			varint, _ = protowire.ConsumeVarint(b[size:])
		case protowire.BytesType:
			bytes, _ = protowire.ConsumeBytes(b[size:])
		}
		if err := do(number, varint, bytes); err != nil {
			return err
		}
		b = b[size+length:]
	}
	return nil
}
