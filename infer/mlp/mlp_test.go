// SPDX-License-Identifier: Apache-2.0

package mlp

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func some(t require.TestingT, seed uint64, widths ...int) *Network {
	n, err := New(rand.New(rand.NewPCG(seed, 0)), widths...)
	require.NoError(t, err)
	return n
}

func TestValuesOfAKnownNetwork(t *testing.T) {
	n := &Network{Layers: []Layer{
		{In: 2, Out: 2, Weights: []float32{1, -1, 2, 1}, Bias: []float32{0, -1}},
		{In: 2, Out: 1, Weights: []float32{3, 4}, Bias: []float32{.5}},
	}}
	for _, c := range []struct{ a, b, want float32 }{
		{1, 2, 12.5}, // the first unit is cut at 0
		{3, 1, 30.5}, //
		{-1, -1, .5}, // both are
		{0, -2, 6.5}, // the second is
	} {
		var y [1]float32
		require.NoError(t, n.Values([]float32{c.a, c.b}, y[:]))
		assert.Equal(t, c.want, y[0], "%v, %v", c.a, c.b)
	}
}

func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		widths := rapid.SliceOfN(rapid.IntRange(1, 40), 2, 6).Draw(rt, "widths")
		n := some(rt, rapid.Uint64().Draw(rt, "seed"), widths...)
		meta := rapid.MapOf(rapid.String(), rapid.String()).Draw(rt, "metadata")
		file, err := n.ONNX(meta)
		require.NoError(rt, err)
		got, metadata, err := Read(file)
		require.NoError(rt, err)
		assert.Equal(rt, n, got)
		assert.Equal(rt, meta, metadata)
	})
}

func TestDamagedFilesAreRefused(t *testing.T) {
	file, err := some(t, 1, 4, 3, 2).ONNX(nil)
	require.NoError(t, err)
	rapid.Check(t, func(rt *rapid.T) {
		damaged := append([]byte(nil), file...)
		for range rapid.IntRange(1, 4).Draw(rt, "bytes") {
			damaged[rapid.IntRange(0, len(file)-1).Draw(rt, "at")] = rapid.Byte().Draw(rt, "byte")
		}
		n, _, err := Read(damaged[:rapid.IntRange(0, len(file)).Draw(rt, "length")])
		if err != nil {
			return
		}
		require.NoError(rt, n.Validate()) // what is taken runs
		require.NoError(rt, n.Values(make([]float32, n.Inputs()), make([]float32, n.Outputs())))
	})
}

func TestMistakes(t *testing.T) {
	_, err := New(rand.New(rand.NewPCG(1, 0)), 4, MaxWidth+1)
	assert.ErrorContains(t, err, "allowed is 1 to 256")
	_, _, err = Read(make([]byte, maxFile+1))
	assert.ErrorContains(t, err, "allowed are up to")
	_, _, err = Read([]byte("no network"))
	assert.ErrorIs(t, err, ErrOther)
	n := some(t, 1, 4, 2)
	assert.ErrorContains(t, n.Values(make([]float32, 3), make([]float32, 2)), "the network has 4 and 2")
}

func TestValuesAllocateNothing(t *testing.T) {
	n := some(t, 1, 20, 32, 32, 3)
	x, y := make([]float32, 20), make([]float32, 3)
	assert.Zero(t, testing.AllocsPerRun(100, func() { _ = n.Values(x, y) }))
}

func FuzzRead(f *testing.F) {
	file, err := some(f, 1, 4, 3, 2).ONNX(map[string]string{"state": "a,b"})
	require.NoError(f, err)
	f.Add(file)
	f.Fuzz(func(t *testing.T, file []byte) {
		if n, _, err := Read(file); err == nil {
			require.NoError(t, n.Values(make([]float32, n.Inputs()), make([]float32, n.Outputs())))
		}
	})
}

func BenchmarkValues(b *testing.B) {
	n := some(b, 1, 20, 32, 32, 3)
	x, y := make([]float32, 20), make([]float32, 3)
	for b.Loop() {
		_ = n.Values(x, y)
	}
}
