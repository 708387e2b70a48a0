// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"strconv"
	"strings"

	"edgex-offload/offload"
)

// SignalType is the content type of raw values: float32, little endian, C order.
const SignalType = "application/x-float32-le"

// exponent are the bits that are all set in a float32 that is infinite or not a number.
const exponent = 0x7f800000

// fillSignal reads a task's float32 values into a tensor, normalised as in says.
func fillSignal(in Input, dst []float32, task offload.Task) error {
	if err := checkShape(in.Shape, task.Context["shape"]); err != nil {
		return err
	}
	if want := 4 * in.Values(); len(task.Payload) != want {
		return fmt.Errorf("payload has %d bytes: needed are %d, float32 values (little endian) of shape %s", len(task.Payload), want, shapeText(in.Shape))
	}
	for i := range dst {
		bits := binary.LittleEndian.Uint32(task.Payload[4*i:])
		dst[i] = math.Float32frombits(bits)
		if bits&exponent == exponent {
			return fmt.Errorf("value %d of the payload is %v: allowed are finite numbers", i, dst[i])
		}
	}
	if in.Normalize != "none" {
		normalizeRows(in, dst)
	}
	n := len(dst) / in.Channels()
	for c := range in.Channels() {
		mean, std := in.Mean[c%len(in.Mean)], in.Std[c%len(in.Std)]
		gain, bias := float32(in.Scale/std), float32(-mean/std)
		for i, v := range dst[c*n : (c+1)*n] {
			dst[c*n+i] = gain*v + bias
		}
	}
	return nil
}

// normalizeRows takes the mean off each row of the last dimension, and with "standard"
// divides it by its standard deviation. A row without variation becomes 0.
func normalizeRows(in Input, dst []float32) {
	n := in.Shape[len(in.Shape)-1]
	for ; len(dst) > 0; dst = dst[n:] {
		row := dst[:n]
		sum, squares := 0., 0.
		for _, v := range row {
			sum += float64(v)
		}
		mean := sum / float64(n)
		for _, v := range row {
			squares += (float64(v) - mean) * (float64(v) - mean)
		}
		gain := 1.
		if deviation := math.Sqrt(squares / float64(n)); in.Normalize == "standard" && deviation > 0 {
			gain = 1 / deviation
		}
		for i, v := range row {
			row[i] = float32((float64(v) - mean) * gain)
		}
	}
}

// checkShape compares a task's context["shape"], as in "3x1024", with the model's. None
// given is the model's; a leading 1 for the batch is allowed.
func checkShape(want []int, text string) error {
	if text == "" || text == shapeText(want) || text == "1x"+shapeText(want) {
		return nil
	}
	return fmt.Errorf("shape is %q: needed is %q", clip(text), shapeText(want))
}

func shapeText(shape []int) string {
	parts := make([]string, len(shape))
	for i, d := range shape {
		parts[i] = strconv.Itoa(d)
	}
	return strings.Join(parts, "x")
}

// example is a payload that the input takes, for a first inference: a grey picture of
// the tensor's size, silence, or a few words.
func (in Input) example() []byte {
	switch in.Type {
	case Features:
		return in.exampleFeatures()
	case "text":
		return []byte("A text of no meaning.")
	case "signal":
		return make([]byte, 4*in.Values())
	}
	img := image.NewYCbCr(image.Rect(0, 0, in.Width, in.Height), image.YCbCrSubsampleRatio420)
	for _, plane := range [][]byte{img.Y, img.Cb, img.Cr} {
		for i := range plane {
			plane[i] = 128
		}
	}
	var b bytes.Buffer
	_ = jpeg.Encode(&b, img, nil) // writing to memory does not fail, and the size is within JPEG's
	return b.Bytes()
}
