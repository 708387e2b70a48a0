// SPDX-License-Identifier: Apache-2.0

package models_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/infer"
	"edgex-offload/infer/ort/orttest"
	"edgex-offload/infer/quantize"
	"edgex-offload/models/train/sets"
	"edgex-offload/offload"
)

// BenchmarkQuantized makes INT8 versions of the shipped models and measures both, side by side,
// graphs alone on one CPU thread: medians, and the accuracy on samples that neither training
// nor quantization has seen.
// go test ./models -run '^$' -bench Quantized
func BenchmarkQuantized(b *testing.B) {
	for _, f := range families() {
		for _, size := range []string{"small", "large"} {
			b.Run(f.serves+"-"+size, func(b *testing.B) {
				var found quantized
				for b.Loop() {
					found = quantizeShipped(b, f, f.serves+"-"+size, 4, 20, time.Now)
				}
				b.ReportMetric(ms(found.Float), "float32-ms")
				b.ReportMetric(ms(found.Int), "int8-ms")
				b.ReportMetric(found.Speedup(), "x-faster")
				b.ReportMetric(100*found.float.Accuracy(), "%float32-right")
				b.ReportMetric(100*found.ints.Accuracy(), "%int8-right")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// TestQuantizedAnswersAsWell is about accuracy; what it gains is the benchmark's.
func TestQuantizedAnswersAsWell(t *testing.T) {
	for _, f := range families() {
		for _, size := range []string{"small", "large"} {
			// On a clock that stands still no form is faster, and it is always the same one.
			found := quantizeShipped(t, f, f.serves+"-"+size, 2, 6, func() time.Time { return time.Time{} })
			// A processor without VNNI may lose a little more than one with.
			assert.LessOrEqual(t, found.Drop, 2., "%s-%s loses points", f.serves, size)
			assert.Greater(t, found.float.Agreement(found.ints), .95)
			t.Logf("%s-%s: float32 %.4f, int8 %.4f", f.serves, size, found.float.Accuracy(), found.ints.Accuracy())
		}
	}
}

func ms(sorted []time.Duration) float64 {
	return float64(sorted[len(sorted)/2]) / float64(time.Millisecond)
}

// quantized is what came of a shipped model.
type quantized struct {
	quantize.Found
	float, ints quantize.Answers
}

// quantizeShipped learns ranges on groups of the training set and judges on groups of the test set.
func quantizeShipped(tb testing.TB, f family, name string, learn, judge int, now func() time.Time) (made quantized) {
	tb.Helper()
	ctx := context.Background()
	backend := orttest.Runtime(tb)
	dir := filepath.Join(name, "1")
	spec, err := infer.LoadSpec(name, filepath.Join(dir, infer.SpecFile))
	require.NoError(tb, err)
	model, err := os.ReadFile(filepath.Join(dir, infer.GraphFile))
	require.NoError(tb, err)
	graph, err := backend.Load(ctx, infer.Source{ONNX: model, Spec: spec})
	require.NoError(tb, err)
	defer graph.Close()
	steps, err := infer.NewSteps(spec, dir, graph)
	require.NoError(tb, err)

	var samples []quantize.Sample
	for _, s := range groups(tb, f, sets.Train, learn) {
		sample, err := quantize.SampleOf(ctx, spec, steps, graph, offload.Task{Kind: f.kind, Payload: s.Payload})
		require.NoError(tb, err)
		samples = append(samples, sample)
	}
	unseen := groups(tb, f, sets.Test, judge)
	cases := quantize.Cases{Count: len(unseen), At: func(i int) (offload.Task, string, error) {
		return offload.Task{Kind: f.kind, Payload: unseen[i].Payload}, f.labels[unseen[i].Label], nil
	}}
	c, err := quantize.Calibrate(ctx, model, samples, quantize.Options{Backend: backend, Spec: spec, Now: now})
	require.NoError(tb, err)
	made.float, err = cases.Ask(ctx, steps, graph, nil)
	require.NoError(tb, err)
	made.Found, err = c.Search(ctx, samples, quantize.Wanted{
		Float: graph, MaxDrop: 1, Rounds: 1000,
		Drop: func(ctx context.Context, graph infer.Graph) (_ float64, err error) {
			made.ints, err = cases.Ask(ctx, steps, graph, nil)
			return 100 * (made.float.Accuracy() - made.ints.Accuracy()), err
		},
	})
	require.NoError(tb, err)
	return made
}

func groups(tb testing.TB, f family, seed int64, number int) (all []sets.Sample) {
	tb.Helper()
	for i := range number {
		list, err := f.group(seed, i)
		require.NoError(tb, err)
		all = append(all, list...)
	}
	return all
}
