// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFilesAreLoadedOnceTheyStandStill(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "surface", "1", "0", tinyImage)
	r, b, _ := keeper(t, dir)
	put(t, dir, "surface", "2", "bro", tinyImage)
	r.look(context.Background(), false)
	put(t, dir, "surface", "2", "broke", tinyImage) // still being written
	r.look(context.Background(), false)
	assert.Equal(t, 1, b.loads)
	assert.True(t, r.unsettled, "it is looked at again soon")
	assert.Equal(t, settlePause, r.pause())
	assert.Contains(t, r.Models()[0].Error, "still changing")
	put(t, dir, "surface", "2", "2", tinyImage)
	r.look(context.Background(), false)
	assert.Equal(t, "surface/1 good", label(t, r))
	r.look(context.Background(), false)
	assert.Equal(t, "surface/2 dent", label(t, r))
	assert.False(t, r.unsettled)
}

func TestATouchedFileIsNotLoadedAgain(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "surface", "1", "0", tinyImage)
	r, b, changes := keeper(t, dir)
	file := filepath.Join(dir, "surface", "1", GraphFile)
	require.NoError(t, os.Chtimes(file, time.Time{}, time.Unix(2e9, 0)))
	r.look(context.Background(), false)
	r.look(context.Background(), false)
	r.look(context.Background(), true)
	assert.Equal(t, 1, b.loads)
	assert.Equal(t, 1, *changes)
}

func TestAChangeWithinTheSameTimeIsSeenByHand(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "surface", "1", "0", tinyImage)
	file := filepath.Join(dir, "surface", "1", GraphFile)
	same := func() { require.NoError(t, os.Chtimes(file, time.Time{}, time.Unix(1e9, 0))) }
	same()
	r, _, _ := keeper(t, dir)
	put(t, dir, "surface", "1", "1", tinyImage)
	same()
	spec := filepath.Join(dir, "surface", "1", SpecFile)
	info, err := os.Stat(spec)
	require.NoError(t, err)
	require.NoError(t, os.Chtimes(spec, time.Time{}, info.ModTime()))
	r.series["surface"].versions["1"].stamp = stampOf(filepath.Dir(file)) // model.yaml was written too
	r.look(context.Background(), false)
	assert.Equal(t, "surface/1 good", label(t, r))
	r.look(context.Background(), true)
	assert.Equal(t, "surface/1 scratch", label(t, r))
}

func TestWhatIsGoneForOneLookStays(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "surface", "1", "0", tinyImage)
	put(t, dir, "surface", "2", "1", tinyImage)
	r, b, _ := keeper(t, dir)
	two := filepath.Join(dir, "surface", "2")
	require.NoError(t, os.Rename(two, two+"-away"))
	r.look(context.Background(), false)
	require.NoError(t, os.Rename(two+"-away", two))
	r.look(context.Background(), false)
	assert.Equal(t, 1, b.loads)

	require.NoError(t, os.RemoveAll(two))
	r.look(context.Background(), false)
	assert.Equal(t, "surface/2 scratch", label(t, r))
	r.look(context.Background(), false)
	assert.Equal(t, "surface/1 good", label(t, r), "to remove a version is to go back to the one before")

	require.NoError(t, os.RemoveAll(filepath.Join(dir, "surface")))
	r.look(context.Background(), false)
	assert.Len(t, r.Models(), 1)
	r.look(context.Background(), false)
	assert.Empty(t, r.Models())
}
