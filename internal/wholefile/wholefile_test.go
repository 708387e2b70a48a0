// SPDX-License-Identifier: Apache-2.0

package wholefile

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	require.NoError(t, os.WriteFile(path, []byte("four"), 0o600))
	got, err := Read(path, 4)
	require.NoError(t, err)
	assert.Equal(t, "four", string(got))
	_, err = Read(path, 3)
	assert.ErrorContains(t, err, path+": allowed are at most 3 bytes")
	_, err = Read(path+"-none", 3)
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

func TestReplaceLeavesTheOldOrTheNew(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	for _, content := range []string{"old", "new"} {
		require.NoError(t, Replace(path, []byte(content), 0o640))
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, content, string(got))
	}
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o640), info.Mode())

	require.NoError(t, os.Mkdir(filepath.Join(dir, "folder"), 0o755))
	require.Error(t, Replace(filepath.Join(dir, "folder"), nil, 0o640))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, left, 2, "what could not be put in place is taken away")
}
