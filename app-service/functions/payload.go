// SPDX-License-Identifier: Apache-2.0

package functions

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/edgexfoundry/go-mod-core-contracts/v3/common"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos"
)

// ContentFloat32 is the content type of raw values: float32, little endian, in C order.
const ContentFloat32 = "application/x-float32-le"

// contentText is the content type of a String reading's payload.
const contentText = "text/plain"

var (
	errUnsupported = errors.New("value type cannot be a payload")
	errTooLarge    = errors.New("payload is too large")
)

// payload is a reading's value in the form that models take.
type payload struct {
	bytes []byte
	// contentType is lower case and without parameters.
	contentType string
	// shape is the dimensions of raw values, as in "3x1024"; "" for the others.
	shape string
}

// payloadOf makes the payload of a reading: a Binary value as it is, numbers and arrays
// of numbers as float32 values, a String as text. shape is the reading's tag, or "".
func payloadOf(reading dtos.BaseReading, shape string, limit int) (payload, error) {
	var p payload
	valueType, err := common.NormalizeValueType(reading.ValueType)
	if err != nil {
		return payload{}, fmt.Errorf("%.40q: %w", reading.ValueType, errUnsupported)
	}
	switch valueType {
	case common.ValueTypeBinary:
		media, _, _ := strings.Cut(reading.MediaType, ";")
		p = payload{bytes: reading.BinaryValue, contentType: strings.ToLower(strings.TrimSpace(media))}
	case common.ValueTypeString:
		p = payload{bytes: []byte(reading.Value), contentType: contentText}
	case common.ValueTypeObject, common.ValueTypeStringArray:
		return payload{}, fmt.Errorf("%s: %w", valueType, errUnsupported)
	default:
		p.contentType = ContentFloat32
		p.bytes, err = floats(reading.Value, limit)
	}
	switch {
	case err != nil:
		return payload{}, fmt.Errorf("%s value: %w", valueType, err)
	case len(p.bytes) > limit:
		return payload{}, fmt.Errorf("%d bytes: %w, allowed are %d", len(p.bytes), errTooLarge, limit)
	case len(p.bytes) == 0:
		return payload{}, errors.New("value is empty: allowed is at least one byte")
	case p.contentType != ContentFloat32:
		return p, nil
	}
	p.shape, err = shapeOf(len(p.bytes), shape)
	return p, err
}

// floats reads a number, a boolean or an array of them, as EdgeX writes them
// ("[1.0e+00, 2.5e-01]").
func floats(value string, limit int) ([]byte, error) {
	list := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(value), "["), "]")
	count := strings.Count(list, ",") + 1
	if count > limit/4 {
		return nil, fmt.Errorf("%d values: %w, allowed are %d", count, errTooLarge, limit/4)
	}
	bytes := make([]byte, 0, 4*count)
	for item := range strings.SplitSeq(list, ",") {
		number, err := float(strings.TrimSpace(item))
		if err != nil {
			return nil, err
		}
		bytes = binary.LittleEndian.AppendUint32(bytes, math.Float32bits(number))
	}
	return bytes, nil
}

func float(item string) (float32, error) {
	switch item {
	case "true":
		return 1, nil
	case "false":
		return 0, nil
	}
	number, err := strconv.ParseFloat(item, 32)
	return float32(number), err
}

// shapeOf checks that a shape tells the number of values, and makes one where there is none.
func shapeOf(bytes int, shape string) (string, error) {
	if bytes%4 != 0 {
		return "", fmt.Errorf("%d bytes of %s: allowed is a multiple of 4", bytes, ContentFloat32)
	}
	count := bytes / 4
	if shape == "" {
		return strconv.Itoa(count), nil
	}
	product := 1
	for part := range strings.SplitSeq(shape, "x") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 1 || n > count {
			product = 0
			break
		}
		if product *= n; product > count {
			break
		}
	}
	if product != count {
		return "", fmt.Errorf("shape %q: allowed are dimensions with a product of %d values, as in \"3x1024\"", shape, count)
	}
	return shape, nil
}
