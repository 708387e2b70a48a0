// SPDX-License-Identifier: Apache-2.0

package infer_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/offload"
)

// What the models of the samples say of its pictures was computed once by another program:
// the same graphs in ONNX Runtime for Node.js, with a JPEG decoder, an averaging resize, a
// decoder of the output and a suppression of its own. Resizing differs in the last digits,
// so a box may be a few pixels off and a confidence a few points.
func TestGoldenAnswersOfTheSamples(t *testing.T) {
	r := open(t)
	cases := []struct {
		file, variant string
		kind          offload.Kind
	}{
		{"faces_1.jpg", "faces/1", offload.ObjectDetection},
		{"faces_5.jpg", "faces/1", offload.ObjectDetection},
		{"photo.jpg", "faces/1", offload.ObjectDetection},
		{"room.jpg", "faces/1", offload.ObjectDetection},
		{"bear.jpg", "faces/1", offload.ObjectDetection},
		{"eight.png", "digits/1", offload.ImageClassification},
		{"seven.png", "digits-on-white/1", offload.ImageClassification},
	}
	for _, c := range cases {
		t.Run(c.file, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("testdata", "golden", c.file[:len(c.file)-4]+".json"))
			require.NoError(t, err)
			var want offload.Answer
			require.NoError(t, json.Unmarshal(text, &want))
			got, err := r.Infer(context.Background(), c.variant, offload.Task{Kind: c.kind, Payload: picture(t, c.file)})
			require.NoError(t, err)
			if c.kind == offload.ImageClassification {
				assert.Equal(t, want.Label, got.Label)
				assert.InDelta(t, want.Confidence, got.Confidence, .02)
				return
			}
			const near = .75 // the threshold is 0.7: those at it come and go
			sameObjects(t, want.Objects, got.Objects, near)
			sameObjects(t, got.Objects, want.Objects, near)
		})
	}
}

// sameObjects sees that each of want that is better than least is among have.
func sameObjects(t *testing.T, want, have []offload.Object, least float32) {
	t.Helper()
	for _, w := range want {
		if w.Confidence < least {
			continue
		}
		found := false
		for _, h := range have {
			found = found || h.Label == w.Label && overlap(w, h) > .85 && max(w.Confidence-h.Confidence, h.Confidence-w.Confidence) < .05
		}
		assert.True(t, found, "%+v", w)
	}
}
