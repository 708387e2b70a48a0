// SPDX-License-Identifier: Apache-2.0

package infer_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"edgex-offload/infer"
	"edgex-offload/offload"
)

// What a whole task costs, from payload to answer. BenchmarkRun of package ort has the
// graph's share and what the bare runtime takes.
func BenchmarkTask(b *testing.B) {
	r := open(b)
	for _, c := range []struct {
		variant, file string
		kind          offload.Kind
	}{
		{"digits/1", "eight.png", offload.ImageClassification},
		{"faces/1", "faces_1.jpg", offload.ObjectDetection},
	} {
		task := offload.Task{Kind: c.kind, Payload: picture(b, c.file)}
		b.Run(c.variant, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Infer(context.Background(), c.variant, task); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The vibration of a machine: 3 x 1024 float32, without a graph to speak of.
func BenchmarkSignalToTensor(b *testing.B) {
	spec, err := infer.ParseSpec("v", []byte("kind: SIGNAL_CLASSIFICATION\ninput: {type: signal, shape: [3, 1024], normalize: standard}\ndecoder: classification\nlabels: [a, b]\n"))
	require.NoError(b, err)
	task := offload.Task{Kind: offload.SignalClassification, Payload: make([]byte, 4*3*1024)}
	dst := make([]float32, 3*1024)
	b.ReportAllocs()
	for b.Loop() {
		if err := infer.FillSignal(spec.Input, dst, task); err != nil {
			b.Fatal(err)
		}
	}
}
