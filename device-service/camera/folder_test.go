// SPDX-License-Identifier: Apache-2.0

package camera

import (
	"maps"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/device-service/source"
)

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, content, 0o644))
}

func TestAFolderPlaysItsPhotosInOrderAgainAndAgain(t *testing.T) {
	dir := t.TempDir()
	small, wide, elsewhere := photo(t, 32, 32), photo(t, 200, 100), photo(t, 64, 64)
	write(t, filepath.Join(dir, "b.JPEG"), wide)
	write(t, filepath.Join(dir, "a.jpg"), small)
	other := filepath.Join(t.TempDir(), "photo")
	write(t, other, elsewhere)
	require.NoError(t, os.Symlink(other, filepath.Join(dir, "c.jpg")))
	write(t, filepath.Join(dir, "notes.txt"), []byte("no photo"))

	v := watch(t, map[string]any{"Kind": "folder", "Path": dir, "FrameRate": 240})
	for range 3 {
		assert.Equal(t, small, v.frame())
		assert.Equal(t, wide, v.frame())
		assert.Equal(t, elsewhere, v.frame())
	}
	assert.Empty(t, v.Status().Dropped)
}

func TestWhatIsNoPhotoIsPassedOverAndCounted(t *testing.T) {
	dir := t.TempDir()
	good := photo(t, 32, 32)
	write(t, filepath.Join(dir, "1-large.jpg"), photo(t, 900, 900))
	write(t, filepath.Join(dir, "2-text.jpg"), []byte("no photo at all, but a text that is long enough to be looked at more closely than an empty file would be"))
	write(t, filepath.Join(dir, "3-cut.jpg"), photo(t, 300, 100)[:5000])
	write(t, filepath.Join(dir, "4-empty.jpg"), nil)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "5-folder.jpg"), 0o755))
	require.NoError(t, os.Symlink(filepath.Join(dir, "nowhere"), filepath.Join(dir, "6-dangling.jpg")))
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "7-pipe.jpg"), 0o644))
	write(t, filepath.Join(dir, "8-good.jpg"), good)

	v := watch(t, map[string]any{"Kind": "folder", "Path": dir, "FrameRate": 0.001})
	assert.Equal(t, good, v.frame())
	// It looks through the folder once more, and then waits to play the good one again.
	want := map[source.Reason]uint64{source.TooLarge: 2, source.NotJPEG: 4, source.Truncated: 2, source.Unreadable: 6}
	require.Eventually(t, func() bool { return maps.Equal(want, v.Status().Dropped) }, patience, time.Millisecond)
	assert.Equal(t, source.Running, v.Status().State)
}

func TestPhotosThatComeLaterAreSeen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "photos")
	v := watch(t, map[string]any{"Kind": "folder", "Path": dir, "FrameRate": 240})
	assert.Contains(t, v.down(), "no such file")
	require.NoError(t, os.Mkdir(dir, 0o755))
	first, second := photo(t, 40, 40), photo(t, 50, 50)
	staged := filepath.Join(t.TempDir(), "staged")
	write(t, staged, first)
	require.NoError(t, os.Rename(staged, filepath.Join(dir, "1.jpg")))
	assert.Equal(t, first, v.frame())
	write(t, staged, second)
	require.NoError(t, os.Rename(staged, filepath.Join(dir, "2.jpg")))
	for string(v.frame()) != string(second) {
	}
}

func TestAFolderWithoutPhotosSaysSo(t *testing.T) {
	v := watch(t, map[string]any{"Kind": "folder", "Path": t.TempDir(), "FrameRate": 240})
	assert.Contains(t, v.down(), "0 files end in .jpg or .jpeg")
}

func TestLimitsOfAFrame(t *testing.T) {
	good := photo(t, 32, 32)
	for _, test := range []struct {
		name  string
		frame []byte
		want  source.Reason
	}{
		{"good", good, ""},
		{"filled up", append(append([]byte{}, good...), make([]byte, 200)...), ""},
		{"empty", nil, source.NotJPEG},
		{"short", good[:50], source.NotJPEG},
		{"png", append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, 200)...), source.NotJPEG},
		{"header only", append([]byte{0xFF, 0xD8, 0xFF, 0xD9}, make([]byte, 200)...), source.NotJPEG},
		{"cut", photo(t, 200, 200)[:3000], source.Truncated},
		{"too large", append(append([]byte{}, good...), make([]byte, 200_000)...), source.TooLarge},
		{"too wide", photo(t, 1, 1), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := limits.Check(test.frame)
			if test.want == "" {
				assert.Nil(t, r)
				return
			}
			require.NotNil(t, r)
			assert.Equal(t, test.want, r.Reason)
		})
	}
	r := Limits{Bytes: 100_000, Pixels: 1000}.Check(good)
	require.NotNil(t, r)
	assert.Equal(t, "too-wide: 32 x 32 pixels: allowed are 1000 (MaxFramePixels)", r.Error())
}

func TestTheConveyorTellsTheTruthBesideTheFrame(t *testing.T) {
	v := watch(t, map[string]any{"Kind": "conveyor", "FrameRate": 240, "Width": 64, "Height": 64})
	truths := map[string]bool{}
	for range 20 {
		s := <-v.frames
		assert.Nil(t, limits.Check(s.Value.([]byte)))
		truths[s.Truth] = true
	}
	assert.NotContains(t, truths, "")
	assert.Contains(t, truths, "good")
	assert.Greater(t, len(truths), 1)
}
