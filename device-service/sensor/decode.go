// SPDX-License-Identifier: Apache-2.0

package sensor

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Decoder turns the payload of a message into what a resource holds.
type Decoder struct {
	Type  string   // value type of the resource, one of ValueTypes
	Float bool     // of a Binary: a JSON array of numbers becomes float32, little endian
	JSON  bool     // the payload is JSON
	Path  []string // keys and indices from the JSON's root to the value
}

// Value types, as EdgeX names them.
const (
	typeBool         = "Bool"
	typeString       = "String"
	typeInt64        = "Int64"
	typeFloat32      = "Float32"
	typeFloat64      = "Float64"
	typeFloat32Array = "Float32Array"
	typeObject       = "Object"
	typeBinary       = "Binary"
)

// ValueTypes lists the value types that a message can become.
func ValueTypes() []string {
	return []string{
		typeBool, typeString, typeInt64, typeFloat32,
		typeFloat64, typeFloat32Array, typeObject, typeBinary,
	}
}

// ParsePath splits a path such as "data.axes[2].rms", with or without "$." in front.
func ParsePath(path string) ([]string, error) {
	path = strings.TrimPrefix(strings.TrimPrefix(path, "$"), ".")
	if path == "" {
		return nil, nil
	}
	parts := strings.Split(strings.NewReplacer("[", ".", "]", "").Replace(path), ".")
	if slices.Contains(parts, "") {
		return nil, fmt.Errorf("%q: allowed are keys and indices such as data.axes[2].rms", path)
	}
	return parts, nil
}

// Decode reads a payload. Its error says what there was and what is allowed.
func (d Decoder) Decode(payload []byte) (any, error) {
	if !d.JSON {
		return d.raw(payload)
	}
	value, err := d.find(payload)
	if err != nil {
		return nil, err
	}
	return d.convert(value)
}

// find walks the path. It parses no more of the message than lies on it.
func (d Decoder) find(payload []byte) (json.RawMessage, error) {
	value := json.RawMessage(payload)
	for i, key := range d.Path {
		next, err := step(value, key)
		if err != nil {
			return nil, fmt.Errorf("at %q: %w", strings.Join(d.Path[:i+1], "."), err)
		}
		value = next
	}
	return value, nil
}

func step(value json.RawMessage, key string) (json.RawMessage, error) {
	if bytes.HasPrefix(bytes.TrimSpace(value), []byte("[")) {
		var items []json.RawMessage
		if err := json.Unmarshal(value, &items); err != nil {
			return nil, err
		}
		index, err := strconv.Atoi(key)
		if err != nil || index < 0 || index >= len(items) {
			return nil, fmt.Errorf("index %q of an array of %d", key, len(items))
		}
		return items[index], nil
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(value, &object); err != nil {
		return nil, err
	}
	item, ok := object[key]
	if !ok {
		return nil, errors.New("there is no such key")
	}
	return item, nil
}

// convert makes the value of a JSON value; numbers and truth values may come as text.
func (d Decoder) convert(value json.RawMessage) (any, error) {
	switch d.Type {
	case typeObject:
		return as[any](value)
	case typeFloat32Array:
		return as[[]float32](value)
	case typeBinary:
		if d.Float {
			numbers, err := as[[]float32](value)
			return littleEndian(numbers), err
		}
		return as[[]byte](value) // base64, as JSON has it
	}
	if bytes.HasPrefix(bytes.TrimSpace(value), []byte(`"`)) {
		text, err := as[string](value)
		if err != nil {
			return nil, err
		}
		value = []byte(text)
	}
	return d.raw(value)
}

// raw makes the value of a plain text, or of bytes.
func (d Decoder) raw(payload []byte) (any, error) {
	text := strings.TrimSpace(string(payload))
	switch d.Type {
	case typeBinary:
		if d.Float && len(payload)%4 != 0 {
			return nil, fmt.Errorf("%d bytes: allowed are multiples of 4 (float32, little endian)", len(payload))
		}
		return payload, nil
	case typeString:
		if !utf8.Valid(payload) {
			return nil, errors.New("bytes that are no UTF-8")
		}
		return string(payload), nil
	case typeBool:
		return strconv.ParseBool(text)
	case typeInt64:
		return strconv.ParseInt(text, 10, 64)
	case typeFloat32:
		number, err := finite(text, 32)
		return float32(number), err
	case typeFloat64:
		return finite(text, 64)
	case typeFloat32Array:
		return as[[]float32]([]byte("[" + strings.Trim(text, "[]") + "]"))
	case typeObject:
		return as[any](payload)
	}
	return nil, fmt.Errorf("value type %s: allowed are %s", d.Type, strings.Join(ValueTypes(), ", "))
}

func as[T any](value []byte) (T, error) {
	var v T
	err := json.Unmarshal(value, &v)
	return v, err
}

func finite(text string, bits int) (float64, error) {
	number, err := strconv.ParseFloat(text, bits)
	if err == nil && (math.IsNaN(number) || math.IsInf(number, 0)) {
		err = fmt.Errorf("%s: allowed is a finite number", text)
	}
	return number, err
}

func littleEndian(values []float32) []byte {
	b := make([]byte, 0, 4*len(values))
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}
