// SPDX-License-Identifier: Apache-2.0

package cascade_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"edgex-offload/cascade"
	"edgex-offload/infer"
	"edgex-offload/infer/ort/orttest"
	"edgex-offload/offload"
	"edgex-offload/runner"
)

const samples = "../../shared/samples"

// facesModels is a models folder with a detector of others' making, and as a stand-in for a
// classifier of faces the shipped one of surfaces.
func facesModels(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat(samples); err != nil {
		t.Skip("no samples: ", err)
	}
	folder := t.TempDir()
	for name, from := range map[string][2]string{
		"faces":         {filepath.Join(samples, "version-slim-320.onnx"), "testdata/faces-model.yaml"},
		"surface-small": {"../models/surface-small/1/model.onnx", "../models/surface-small/1/model.yaml"},
	} {
		version := filepath.Join(folder, name, "1")
		require.NoError(t, os.MkdirAll(version, 0o755))
		for i, as := range []string{infer.GraphFile, infer.SpecFile} {
			data, err := os.ReadFile(from[i])
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(version, as), data, 0o600))
		}
	}
	return folder
}

const faces = `
stages:
  - {name: faces, does: detect, model: faces}
  - {name: picture, does: decode, needs: [faces]}
  - {name: heads, does: crop, needs: [picture, faces], labels: [face], max_crops: 16}
  - {name: surface, does: classify, model: surface, needs: [heads]}
output: [faces, surface]
`

// From a photo to faces, each with a class, through the live engine with models on the box.
func TestFacesOfAPhoto(t *testing.T) {
	folder := facesModels(t)
	models, err := infer.Open(infer.Options{Dir: folder, Place: infer.Box, Backend: orttest.Runtime(t)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, models.Close()) })
	require.NoError(t, models.Wait(t.Context()))
	engine, err := runner.New(runner.Options{Settings: offload.DefaultSettings(), Models: models.OffloadModels(), Local: models, Workers: 2})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- engine.Run(ctx) }()
	t.Cleanup(func() { cancel(); require.NoError(t, <-ended) })

	c, err := cascade.Parse("faces", []byte(faces))
	require.NoError(t, err)
	run, err := cascade.NewRunner(engine, cascade.Options{})
	require.NoError(t, err)
	for file, want := range map[string]struct{ objects, classes int }{
		"faces_1.jpg": {48, 16}, "photo.jpg": {1, 1}, "room.jpg": {0, 0},
	} {
		payload, err := os.ReadFile(filepath.Join(samples, file))
		require.NoError(t, err)
		now := time.Now()
		o := run.Do(ctx, c, offload.Task{
			ID: file, Source: "gate/Frame", Priority: offload.Medium, Payload: payload, Created: now, Deadline: now.Add(time.Minute),
			Context: map[string]string{"content-type": "image/jpeg"},
		})
		require.Empty(t, o.Record.Error, file)
		require.InDelta(t, want.objects, len(o.Answer.Objects), 4, file)
		classes := 0
		for _, object := range o.Answer.Objects {
			for _, class := range object.Classes {
				require.Equal(t, "surface-small/1", class.Model)
				classes++
			}
		}
		require.Equal(t, want.classes, classes, file)
		t.Log(offload.Explain(&o.Record))
		tasks := 1 + want.classes
		for _, s := range o.Record.Stages {
			tasks -= s.Tasks
			require.Equal(t, s.Tasks, s.Answered)
		}
		require.Zero(t, tasks, "each is a task of the engine")
		require.Len(t, engine.Find(file+"/faces", 9), 1)
		if want.classes > 0 {
			record := engine.Find(file+"/surface/1", 9)[0]
			require.Equal(t, []string{"gate/Frame/surface/1", offload.Local, "IMAGE_CLASSIFICATION"}, []string{record.Source, record.Route, record.Kind})
		}
	}
}
