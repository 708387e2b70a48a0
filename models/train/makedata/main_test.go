// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/models/train/sets"
)

func TestWritesArraysThatNumPyReads(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vibration-train")
	require.NoError(t, writeSet(path, vibration{}, sets.Train, 3))

	header, values := read(t, path+".npy")
	assert.Equal(t, "{'descr': '<f4', 'fortran_order': False, 'shape': (150, 3, 1024,), }", header)
	require.Len(t, values, 150*3*1024*4)
	header, labels := read(t, path+"-labels.npy")
	assert.Equal(t, "{'descr': '|u1', 'fortran_order': False, 'shape': (150,), }", header)
	require.Len(t, labels, 150)

	// In the groups' order, although they are made side by side.
	for number := range 3 {
		samples, err := sets.Vibration(sets.Train, number)
		require.NoError(t, err)
		for i, s := range samples {
			at := number*sets.GroupSize + i
			require.Equal(t, s.Payload, values[at*len(s.Payload):(at+1)*len(s.Payload)], "sample %d", at)
			require.Equal(t, byte(s.Label), labels[at], "label %d", at)
		}
	}
}

func TestPicturesAreWrittenAtEachSize(t *testing.T) {
	path := filepath.Join(t.TempDir(), "surface-train")
	require.NoError(t, writeSet(path, newSurface(), sets.Train, 1))
	header, small := read(t, path+"-80x60.npy")
	assert.Contains(t, header, "'shape': (50, 3, 60, 80,)")
	header, large := read(t, path+"-160x120.npy")
	assert.Contains(t, header, "'shape': (50, 3, 120, 160,)")
	// Both are averages of the same pictures, so they are about as bright.
	assert.InDelta(t, mean(large), mean(small), .5)
	assert.Greater(t, mean(large), 30.)
}

func TestRefusesAShareThatCannotBe(t *testing.T) {
	assert.EqualError(t, makeAll(t.TempDir(), 0), "-share 0: allowed is more than 0, up to 10")
}

// read takes a file of NumPy's format 1.0 apart.
func read(t *testing.T, path string) (header string, values []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "\x93NUMPY\x01\x00", string(data[:8]))
	end := 10 + int(binary.LittleEndian.Uint16(data[8:]))
	require.Zero(t, end%64, "the values are not aligned")
	require.Equal(t, byte('\n'), data[end-1])
	for end > 10 && (data[end-1] == '\n' || data[end-1] == ' ') {
		end--
	}
	return string(data[10:end]), data[10+int(binary.LittleEndian.Uint16(data[8:])):]
}

func mean(values []byte) float64 {
	sum := 0.
	for _, v := range values {
		sum += float64(v)
	}
	return sum / float64(len(values))
}
