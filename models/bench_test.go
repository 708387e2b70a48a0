// SPDX-License-Identifier: Apache-2.0

package models_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"edgex-offload/infer"
	"edgex-offload/infer/ort/orttest"
	"edgex-offload/models/train/sets"
	"edgex-offload/offload"
)

// BenchmarkAnswer is one task on one CPU thread, from payload to label:
// go test ./models -run '^$' -bench Answer
func BenchmarkAnswer(b *testing.B) {
	models, err := infer.Open(infer.Options{Dir: ".", Backend: orttest.Runtime(b)})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, models.Close()) })
	require.NoError(b, models.Wait(b.Context()))
	for _, f := range families() {
		samples, err := f.group(sets.Test, 0)
		require.NoError(b, err)
		for _, size := range []string{"small", "large"} {
			b.Run(f.serves+"-"+size, func(b *testing.B) {
				for i := 0; b.Loop(); i++ {
					task := offload.Task{Kind: f.kind, Model: f.serves, Payload: samples[i%len(samples)].Payload}
					if _, err := models.Infer(b.Context(), f.serves+"-"+size+"/1", task); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
