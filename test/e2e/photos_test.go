// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/offload"
	"edgex-offload/standalone/stack"
)

// faces is a model.yaml for the sample model, which finds faces.
const faces = `kind: OBJECT_DETECTION
input: {type: image, width: 320, height: 240, scale: 1, mean: [127], std: [128]}
decoder: ssd
labels: [face]
detection: {threshold: 0.7, iou: 0.3}
`

// samples is the folder of real photos and models; the test is skipped without it.
func samples(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(root, "..", "shared", "samples")
	if _, err := os.Stat(folder); err != nil {
		t.Skip("real photos and models are not here: ", err)
	}
	return folder
}

// usersModels is a models' folder as a user would make it.
func usersModels(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	version := filepath.Join(folder, "faces", "1")
	require.NoError(t, os.MkdirAll(version, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(version, "model.yaml"), []byte(faces), 0o600))
	graph, err := filepath.Abs(filepath.Join(samples(t), "version-slim-320.onnx"))
	require.NoError(t, err)
	require.NoError(t, os.Symlink(graph, filepath.Join(version, "model.onnx")))
	return folder
}

// TestPhotosThroughACutAndBack is the main job: a user's pictures and model, answered by
// the cloud while the link is there, by the box while it is not, and by the cloud again.
func TestPhotosThroughACutAndBack(t *testing.T) {
	s := start(t, stack.Options{Camera: samples(t), Models: usersModels(t), Policy: offload.PolicyCloud})
	bus := listen(t, s)

	bus.wait(t, "answered by the cloud", 0, 10, byRoute("cloud"))
	s.Link.Cut()
	cut := bus.count()
	bus.wait(t, "answered by the box while the link is cut", cut, 15, byRoute("local"))
	s.Link.Restore()
	restored := bus.count()
	all := bus.wait(t, "answered by the cloud again", restored, 10, byRoute("cloud"))
	all = append(all, bus.wait(t, "all of it", 0, restored, func(outcome) bool { return true })...)

	crowds := 0
	for _, o := range all {
		assert.Equal(t, "camera-1", o.device)
		assert.NotEmpty(t, o.taskID)
		assert.Positive(t, o.latencyMs)
		assert.Empty(t, o.tags["truth"], "a user's pictures have no ground truth")
		var objects []offload.Object
		require.NoError(t, json.Unmarshal([]byte(o.objects), &objects), o.objects)
		if len(objects) >= 5 {
			crowds++
			assert.Equal(t, "face", o.label)
			assert.Greater(t, o.confidence, .7)
		}
	}
	assert.Positive(t, crowds, "two of the pictures show crowds")
}

// TestTheCloudMayRestart guards that a cloud that was replaced is used again.
func TestTheCloudMayRestart(t *testing.T) {
	s := start(t, stack.Options{Camera: samples(t), Models: usersModels(t), Policy: offload.PolicyCloud})
	bus := listen(t, s)
	bus.wait(t, "answered by the cloud", 0, 5, byRoute("cloud"))
	require.NoError(t, s.Restart(t.Context(), stack.CloudService))
	bus.wait(t, "answered by the new cloud", bus.count(), 5, byRoute("cloud"))
}
