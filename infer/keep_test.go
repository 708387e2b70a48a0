// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/offload"
)

// keeper is a repository whose goroutine has ended, so that a test can look itself.
func keeper(t *testing.T, dir string) (*Repository, *fakeBackend, *int) {
	t.Helper()
	b := &fakeBackend{started: make(chan struct{})}
	changes := 0
	r := repositoryOn(t, b, Options{Dir: dir, OnChange: func() { changes++ }})
	r.stop()
	<-r.ended
	return r, b, &changes
}

func label(t *testing.T, r *Repository) string {
	t.Helper()
	got, err := r.InferModel(context.Background(), offload.Task{Payload: pixel(t)})
	require.NoError(t, err)
	return got.Model + " " + got.Label
}

func TestANewVersionTakesOver(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "surface", "1", "0", tinyImage)
	r, b, changes := keeper(t, dir)
	assert.Equal(t, "surface/1 good", label(t, r))
	assert.Equal(t, 1, *changes)

	r.look(context.Background(), true)
	assert.Equal(t, 1, b.loads, "nothing changed, nothing is loaded")
	assert.Equal(t, 1, *changes)

	put(t, dir, "surface", "2", "1", tinyImage)
	r.look(context.Background(), true)
	assert.Equal(t, "surface/2 scratch", label(t, r))
	r.drains.Wait()
	assert.Equal(t, 1, b.graphs, "the old one is freed")
	assert.Equal(t, 2, *changes)
}

func TestABrokenNewVersionLeavesTheOldOne(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "surface", "1", "0", tinyImage)
	r, b, _ := keeper(t, dir)
	put(t, dir, "surface", "2", "broken", tinyImage)
	r.look(context.Background(), true)
	assert.Equal(t, "surface/1 good", label(t, r))
	assert.Equal(t, map[string]State{"surface/1": Ready, "surface/2": Failed}, statesOf(r))
	assert.Contains(t, r.Models()[0].Error, "cannot read graph")

	loads := b.loads
	r.look(context.Background(), true)
	assert.Equal(t, loads, b.loads, "the same broken files are not tried again and again")

	put(t, dir, "surface", "2", "2", tinyImage)
	r.look(context.Background(), true)
	assert.Equal(t, "surface/2 dent", label(t, r))
	assert.Empty(t, r.Models()[0].Error)
}

func TestAModelThatIsGoneIsFreed(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "surface", "1", "0", tinyImage)
	r, b, changes := keeper(t, dir)
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "surface")))
	r.look(context.Background(), true)
	assert.Empty(t, r.Models())
	r.drains.Wait()
	assert.Zero(t, b.graphs)
	assert.Equal(t, 2, *changes)
	_, err := r.InferModel(context.Background(), offload.Task{})
	assert.ErrorIs(t, err, ErrNoModel)
}

func TestABackendThatComesLateHeals(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "surface", "1", "0", tinyImage)
	r, b, changes := keeper(t, dir)
	b.missing = true
	put(t, dir, "surface", "2", "1", tinyImage)
	r.look(context.Background(), true)
	r.look(context.Background(), true)
	assert.Equal(t, "surface/1 good", label(t, r))
	assert.Equal(t, 3, b.loads, "it is tried again each time")
	b.missing = false
	r.look(context.Background(), true)
	assert.Equal(t, "surface/2 scratch", label(t, r))
	assert.Positive(t, *changes)
}

func TestAFolderThatComesLateHeals(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "models")
	r, _, _ := keeper(t, dir)
	assert.Empty(t, r.Models())
	_, err := r.InferModel(context.Background(), offload.Task{Model: "surface"})
	assert.ErrorIs(t, err, ErrNoModel)
	assert.ErrorIs(t, err, os.ErrNotExist)

	put(t, dir, "surface", "1", "0", tinyImage)
	r.look(context.Background(), true)
	assert.Equal(t, "surface/1 good", label(t, r))

	require.NoError(t, os.Rename(dir, dir+"-away"))
	r.look(context.Background(), true)
	assert.Equal(t, "surface/1 good", label(t, r), "a folder that is gone for a moment costs nothing")
}

func TestAReplacedModelSendsItsTasksOn(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "surface", "1", "0", tinyImage)
	r, _, _ := keeper(t, dir)
	old := r.series["surface"].current
	put(t, dir, "surface", "2", "1", tinyImage)
	r.look(context.Background(), true)
	task := offload.Task{Payload: pixel(t)}
	_, _, err := old.infer(context.Background(), task)
	require.ErrorIs(t, err, errReplaced)
	picks := []*model{old, r.series["surface"].current}
	got, err := r.run(context.Background(), task, func() (choice, error) {
		m := picks[0]
		picks = picks[1:]
		return choice{model: m}, nil
	})
	require.NoError(t, err)
	assert.Equal(t, "surface/2", got.Model)

	got, err = r.Infer(context.Background(), "surface/1", task)
	require.NoError(t, err)
	assert.Equal(t, "surface/2", got.Model, "a task that is late for the swap is answered all the same")
}
