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

// fillSignal reads a task's float32 values into a tensor, normalised as in says.
func fillSignal(in Input, dst []float32, task offload.Task) error {
	if err := checkShape(in.Shape, task.Context["shape"]); err != nil {
		return err
	}
	if want := 4 * in.Values(); len(task.Payload) != want {
		return fmt.Errorf("payload has %d bytes: needed are %d, float32 values (little endian) of shape %s", len(task.Payload), want, shapeText(in.Shape))
	}
	for i := range dst {
		v := math.Float32frombits(binary.LittleEndian.Uint32(task.Payload[4*i:]))
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("value %d of the payload is %v: allowed are finite numbers", i, v)
		}
		dst[i] = v
	}
	normalizeRows(in, dst)
	perChannel := len(dst) / in.Channels()
	for i, v := range dst {
		c := i / perChannel
		dst[i] = float32((float64(v)*in.Scale - in.Mean[c%len(in.Mean)]) / in.Std[c%len(in.Std)])
	}
	return nil
}

// normalizeRows takes the mean off each row of the last dimension, and with "standard"
// divides it by its standard deviation. A row without variation becomes 0.
func normalizeRows(in Input, dst []float32) {
	if in.Normalize == "none" {
		return
	}
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
// the tensor's size, or silence.
func (in Input) example() []byte {
	if in.Type != "image" {
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
