// SPDX-License-Identifier: Apache-2.0

package split

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/png"
	"math"
	"math/rand/v2"

	"edgex-offload/infer"
	"edgex-offload/offload"
)

// Noise is a made-up task for a model, the same each time: it reaches every part of a network, as
// a grey picture would not, but is typical of nothing.
func Noise(spec infer.Spec) offload.Task {
	random := rand.New(rand.NewPCG(1, 1))
	task := offload.Task{Kind: spec.TaskKind(), Context: map[string]string{"content-type": infer.SignalType}}
	if spec.Input.Type != "image" {
		for range spec.Input.Values() {
			task.Payload = binary.LittleEndian.AppendUint32(task.Payload, math.Float32bits(float32(random.NormFloat64())))
		}
		return task
	}
	img := image.NewRGBA(image.Rect(0, 0, spec.Input.Width, spec.Input.Height))
	for i := range img.Pix {
		img.Pix[i] = byte(random.Uint32())
		if i%4 == 3 {
			img.Pix[i] = 255
		}
	}
	var b bytes.Buffer
	_ = png.Encode(&b, img) // writing to memory does not fail
	task.Payload, task.Context = b.Bytes(), map[string]string{"content-type": "image/png"}
	return task
}
