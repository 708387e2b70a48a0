// SPDX-License-Identifier: Apache-2.0

package quantize

import (
	"bytes"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/image/draw"

	"edgex-offload/infer"
	"edgex-offload/infer/onnx/onnxtest"
	"edgex-offload/infer/ort/orttest"
	"edgex-offload/offload"
)

// photos are pictures of others; the test is skipped without them.
func photos(tb testing.TB, names ...string) (list [][]byte) {
	tb.Helper()
	for _, name := range names {
		content, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "samples", name))
		if err != nil {
			tb.Skip("no samples: ", err)
		}
		list = append(list, content)
	}
	return list
}

// crops are parts of a picture at several scales.
func crops(tb testing.TB, photo []byte) (list [][]byte) {
	tb.Helper()
	img, err := jpeg.Decode(bytes.NewReader(photo))
	require.NoError(tb, err)
	for _, parts := range []int{1, 2, 3} {
		w, h := img.Bounds().Dx()/parts, img.Bounds().Dy()/parts
		for i := range parts * parts {
			part := image.NewRGBA(image.Rect(0, 0, w, h))
			draw.Draw(part, part.Rect, img, image.Pt(i%parts*w, i/parts*h), draw.Src)
			var b bytes.Buffer
			require.NoError(tb, jpeg.Encode(&b, part, nil))
			list = append(list, b.Bytes())
		}
	}
	return list
}

// A real detector of opset 9 (UltraFace, whose outputs are scores and boxes): its integer
// version finds the same faces in the same places.
func TestFacesAreFoundOnIntegers(t *testing.T) {
	backend := orttest.Runtime(t)
	model := photos(t, "version-slim-320.onnx")[0]
	pictures := photos(t, "faces_1.jpg", "faces_5.jpg", "photo.jpg", "room.jpg", "bear.jpg")
	spec, err := infer.LoadSpec("faces", filepath.Join("..", "testdata", "faces.yaml"))
	require.NoError(t, err)
	graph, err := backend.Load(t.Context(), infer.Source{ONNX: model, Spec: spec})
	require.NoError(t, err)
	defer graph.Close()
	steps, err := infer.NewSteps(spec, "", graph)
	require.NoError(t, err)
	task := func(payload []byte) offload.Task { return offload.Task{Kind: spec.TaskKind(), Payload: payload} }
	var samples []Sample
	for _, p := range pictures {
		for _, part := range crops(t, p) {
			s, err := SampleOf(t.Context(), spec, steps, graph, task(part))
			require.NoError(t, err)
			samples = append(samples, s)
		}
	}
	c, err := Calibrate(t.Context(), model, samples, Options{Backend: backend, Spec: spec, Method: MSE})
	require.NoError(t, err)
	made, err := c.Model(Form{Columns: true})
	require.NoError(t, err)
	ints, err := backend.Load(t.Context(), infer.Source{ONNX: made, Spec: spec})
	require.NoError(t, err)
	defer ints.Close()
	faces, found, together := 0, 0, 0.
	for _, p := range pictures {
		want, err := steps.Answer(t.Context(), graph, task(p))
		require.NoError(t, err)
		got, err := steps.Answer(t.Context(), ints, task(p))
		require.NoError(t, err)
		faces += len(want.Objects)
		assert.InDelta(t, len(want.Objects), len(got.Objects), 3)
		for _, o := range want.Objects {
			best := 0.
			for _, other := range got.Objects {
				best = max(best, overlap(o, other))
			}
			if best > agreeing {
				found++
				together += best
			}
		}
	}
	t.Logf("%d of %d faces, mean IoU %.3f", found, faces, together/float64(found))
	assert.GreaterOrEqual(t, found, faces-3)
	assert.Greater(t, together/float64(found), .9)
}

// BenchmarkMobileNet is the network that figures are given for, with random weights: float32
// against int8, side by side: go test ./infer/quantize -run '^$' -bench MobileNet
func BenchmarkMobileNet(b *testing.B) {
	backend := orttest.Runtime(b)
	model, spec := onnxtest.Bytes(onnxtest.MobileNetV2(1)), signal(3, 224, 224)
	graph, err := backend.Load(b.Context(), infer.Source{ONNX: model, Spec: spec})
	require.NoError(b, err)
	defer graph.Close()
	samples := noise(1, 8, 3, 224, 224)
	c, err := Calibrate(b.Context(), model, samples, Options{Backend: backend, Spec: spec})
	require.NoError(b, err)
	var found Found
	for b.Loop() {
		found, err = c.Search(b.Context(), samples, Wanted{Float: graph, MaxDrop: 100, Rounds: 100, Drop: nothing})
		require.NoError(b, err)
	}
	b.ReportMetric(float64(found.Float[50])/float64(time.Millisecond), "float32-ms")
	b.ReportMetric(float64(found.Int[50])/float64(time.Millisecond), "int8-ms")
	b.ReportMetric(found.Speedup(), "x-faster")
	b.ReportMetric(0, "ns/op")
}
