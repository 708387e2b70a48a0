// SPDX-License-Identifier: Apache-2.0

package infer_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	onnx "github.com/yalue/onnxruntime_go"

	"edgex-offload/infer"
	"edgex-offload/offload"
)

// What a task costs over the bare runtime: payload to answer, with the binding's own
// session of the same graph beside it.
func BenchmarkTask(b *testing.B) {
	r := open(b)
	cases := []struct {
		variant, onnx, file string
		kind                offload.Kind
		input, output       onnx.Shape
		names               [2]string
	}{
		{"digits/1", "mnist.onnx", "eight.png", offload.ImageClassification, onnx.NewShape(1, 1, 28, 28), onnx.NewShape(1, 10), [2]string{"Input3", "Plus214_Output_0"}},
		{"faces/1", "version-slim-320.onnx", "faces_1.jpg", offload.ObjectDetection, onnx.NewShape(1, 3, 240, 320), onnx.NewShape(1, 4420, 2), [2]string{"input", "scores"}},
	}
	for _, c := range cases {
		task := offload.Task{Kind: c.kind, Payload: picture(b, c.file)}
		b.Run("whole/"+c.variant, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Infer(context.Background(), c.variant, task); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("bare/"+c.variant, func(b *testing.B) {
			model, err := os.ReadFile(filepath.Join(samples(b), c.onnx))
			require.NoError(b, err)
			in, err := onnx.NewEmptyTensor[float32](c.input)
			require.NoError(b, err)
			out, err := onnx.NewEmptyTensor[float32](c.output)
			require.NoError(b, err)
			o, err := onnx.NewSessionOptions()
			require.NoError(b, err)
			require.NoError(b, o.SetIntraOpNumThreads(1))
			require.NoError(b, o.SetLogSeverityLevel(onnx.LoggingLevelError))
			s, err := onnx.NewDynamicAdvancedSessionWithONNXData(model, c.names[:1], c.names[1:], o)
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				if err := s.Run([]onnx.Value{in}, []onnx.Value{out}); err != nil {
					b.Fatal(err)
				}
			}
			for _, d := range []interface{ Destroy() error }{s, o, in, out} {
				require.NoError(b, d.Destroy())
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
