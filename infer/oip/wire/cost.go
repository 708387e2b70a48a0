// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

const (
	// MaxTensors bounds the inputs, the outputs and the raw contents of a message.
	MaxTensors = 64
	// MaxRank bounds the dimensions of a tensor, which a message may have more of.
	MaxRank = 16
	// messageCost is what a decoded message, a map's entry or a text takes beside its bytes,
	// rounded up: 200 of a tensor on 64 bits.
	messageCost = 256
)

// Field numbers that ModelInferRequest and ModelInferResponse, and their tensors, share.
const (
	messageTensors   protowire.Number = 5 // inputs of the one, outputs of the other
	requestOutputs   protowire.Number = 6
	tensorContents   protowire.Number = 5
	contentsIntegers                  = 5 // and all below are numbers of varint's length
	contentsFP64     protowire.Number = 7
)

// checkCost refuses a message whose decoded form would take more than limit bytes: a byte of
// it can become 8 of a number, and two can become an empty tensor.
func checkCost(message []byte, limit int) error {
	total, tensors := 0, 0
	err := eachField(message, func(f field) error {
		isTensor := (f.number == messageTensors || f.number == requestOutputs) && f.kind == protowire.BytesType
		if total += messageCost; !isTensor {
			total += len(f.bytes)
		}
		if total > limit {
			return tooDear(limit)
		}
		if !isTensor {
			return nil
		}
		if tensors++; tensors > 2*MaxTensors {
			return fmt.Errorf("more than %d tensors: allowed are up to %d inputs and as many outputs", tensors-1, MaxTensors)
		}
		return eachField(f.bytes, func(f field) error {
			total += costOf(f)
			if total > limit {
				return tooDear(limit)
			}
			return nil
		})
	})
	return err
}

func tooDear(limit int) error {
	return fmt.Errorf("decoded it would take more than %d bytes: send values as raw contents", limit)
}

// costOf is what a field of a tensor takes, at most.
func costOf(f field) int {
	if f.kind != protowire.BytesType {
		return messageCost // a number of the shape by itself
	}
	if f.number != tensorContents {
		return messageCost + 8*len(f.bytes) // the shape, packed: a number for each byte at most
	}
	cost := 0
	err := eachField(f.bytes, func(f field) error {
		switch {
		case f.kind != protowire.BytesType:
			cost += 16 // a number that is not packed, in a list that grows to up to twice its need
		case f.number <= contentsIntegers:
			cost += 8 * varints(f.bytes)
		case f.number <= contentsFP64:
			cost += len(f.bytes)
		default:
			cost += 48 + len(f.bytes) // a slice, in a list that grows
		}
		return nil
	})
	if err != nil {
		return 0 // decoding says what is wrong with it
	}
	return cost + messageCost
}

// varints counts the numbers of a packed field: each ends with a byte below 0x80.
func varints(b []byte) int {
	n := 0
	for _, c := range b {
		if c < 0x80 {
			n++
		}
	}
	return n
}
