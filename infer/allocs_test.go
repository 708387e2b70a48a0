// SPDX-License-Identifier: Apache-2.0

//go:build !race

package infer_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/infer"
	"edgex-offload/infer/onnx/onnxtest"
	"edgex-offload/infer/ort/orttest"
	"edgex-offload/infer/picture/picturetest"
	"edgex-offload/offload"
)

// Most of what is left is context's and the binding's: docs/inference.md.
func TestATaskAllocatesLittle(t *testing.T) {
	dir := t.TempDir()
	folder := filepath.Join(dir, "tiny", "1")
	require.NoError(t, os.MkdirAll(folder, 0o755))
	graph, err := onnxtest.ConvBNRelu(1, 32, 3).Marshal()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, infer.GraphFile), graph, 0o644))
	yaml := "kind: IMAGE_CLASSIFICATION\ninput: {type: image, width: 32, height: 32}\ndecoder: classification\nlabels: [a, b, c]\n"
	require.NoError(t, os.WriteFile(filepath.Join(folder, infer.SpecFile), []byte(yaml), 0o644))
	r, err := infer.Open(infer.Options{Dir: dir, Backend: orttest.Runtime(t)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	require.NoError(t, r.Wait(t.Context()))

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	task := offload.Task{Kind: offload.ImageClassification, Payload: picturetest.CameraJPEG(64, 48)}
	n := testing.AllocsPerRun(200, func() {
		_, err := r.Infer(ctx, "tiny/1", task)
		require.NoError(t, err)
	})
	assert.LessOrEqual(t, n, 11.)
}
