// SPDX-License-Identifier: Apache-2.0

package features

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func one(shape []int64, data ...float32) Features {
	return Features{Cut: Cut{1, 2, 3}, Tensors: []Tensor{{Name: "x", Shape: shape, Data: data}}}
}

func TestFloat32SurvivesExactly(t *testing.T) {
	c := NewCodec()
	f := one([]int64{1, 2}, math.Pi, -1e30)
	f.At = Placement{720, 478, 0, 12, 320, 213}
	f.Tensors = append(f.Tensors, Tensor{Name: "rank 0", Data: []float32{7}})
	b, err := c.Encode(f, Float32)
	require.NoError(t, err)
	got, err := c.Decode(b)
	require.NoError(t, err)
	assert.Equal(t, f, got)
	cut, err := CutOf(b)
	require.NoError(t, err)
	assert.Equal(t, f.Cut, cut)
}

func TestUint8IsWithinHalfAStep(t *testing.T) {
	c := NewCodec()
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOfN(rapid.Float32Range(-1e6, 1e6), 1, 50).Draw(t, "values")
		f := one([]int64{int64(len(data))}, data...)
		b, err := c.Encode(f, Uint8)
		require.NoError(t, err)
		got, err := c.Decode(b)
		require.NoError(t, err)
		low, high := float64(data[0]), float64(data[0])
		for _, v := range data {
			low, high = min(low, float64(v)), max(high, float64(v))
		}
		for i, v := range data {
			assert.InDelta(t, v, got.Tensors[0].Data[i], (high-low)/255*.5001+1e-6*max(-low, high))
		}
	})
}

func TestWhatSurvivesUint8Exactly(t *testing.T) {
	c := NewCodec()
	for name, data := range map[string][]float32{
		"whole numbers":        {-128, 0, 3, 127},
		"whole, far from zero": {100000, 100255},
		"all the same":         {.3, .3, .3},
		"nothing but zero":     {0, 0},
	} {
		b, err := c.Encode(one([]int64{int64(len(data))}, data...), Uint8)
		require.NoError(t, err, name)
		got, err := c.Decode(b)
		require.NoError(t, err, name)
		assert.Equal(t, data, got.Tensors[0].Data, name)
	}
	b, err := c.Encode(one([]int64{3}, 0, 0, 7.3), Uint8)
	require.NoError(t, err)
	got, err := c.Decode(b)
	require.NoError(t, err)
	assert.Zero(t, got.Tensors[0].Data[0], "zeros of a Relu stay zeros")
}

func TestEncodeRefuses(t *testing.T) {
	c := NewCodec()
	for says, f := range map[string]Features{
		"0 tensors: allowed are 1 to 16":      {},
		`value 1 of tensor "x" is NaN`:        one([]int64{2}, 0, float32(math.NaN())),
		`value 0 of tensor "x" is +Inf`:       one([]int64{1}, float32(math.Inf(1))),
		`has 1 values: needed are a name`:     one([]int64{2}, 0),
		"allowed are dimensions of 1 or more": one([]int64{0}),
		"16777216 values in all":              one([]int64{1 << 40, 1 << 40}),
		"has 9 dimensions":                    one(make([]int64, 9)),
	} {
		_, err := c.Encode(f, Uint8)
		assert.ErrorContains(t, err, says)
	}
	_, err := c.Encode(one([]int64{1}, 1), 7)
	assert.ErrorContains(t, err, "encoding 7")
	f := one([]int64{1}, 1)
	f.At.Left = -1
	_, err = c.Encode(f, Uint8)
	assert.ErrorContains(t, err, "placement")
}

func TestDecodeRefuses(t *testing.T) {
	c := NewCodec()
	whole, err := c.Encode(one([]int64{2, 3}, 1, 2, 3, 4, 5, 6.5), Uint8)
	require.NoError(t, err)
	for n := range whole {
		_, err := c.Decode(whole[:n])
		require.ErrorIs(t, err, ErrFormat, "the first %d bytes", n)
	}
	other := append([]byte(nil), whole...)
	other[4] = 9
	_, err = c.Decode(other)
	assert.ErrorContains(t, err, "version 9: known is 1")
}

// A frame of gigabytes of zeros is small; the shapes bound what is unpacked.
func TestABombIsRefused(t *testing.T) {
	c := NewCodec()
	whole, err := c.Encode(one([]int64{6}, 1, 2, 3, 4, 5, 6.5), Uint8)
	require.NoError(t, err)
	pack, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	header := len(whole) - len(pack.EncodeAll([]byte{1, 2, 3, 4, 5, 6}, nil))
	for header > 0 && string(whole[header:header+4]) != "\x28\xb5\x2f\xfd" { // zstd's magic number
		header--
	}
	_, err = c.Decode(pack.EncodeAll(make([]byte, 64<<20), whole[:header:header]))
	assert.ErrorIs(t, err, ErrFormat)
}

func FuzzDecode(f *testing.F) {
	c := NewCodec()
	for _, as := range []Encoding{Float32, Uint8} {
		b, err := c.Encode(one([]int64{2, 3}, 1, 2, 3, 4, 5, 6.5), as)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := c.Decode(b)
		if err != nil {
			require.ErrorIs(t, err, ErrFormat)
			return
		}
		for _, tensor := range got.Tensors {
			require.NotEmpty(t, tensor.Name)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	c := NewCodec()
	random := rand.New(rand.NewPCG(1, 2))
	data := make([]float32, 160*7*7)
	for i := range data {
		data[i] = float32(max(0, random.NormFloat64()))
	}
	f := one([]int64{160, 7, 7}, data...)
	for b.Loop() {
		if _, err := c.Encode(f, Uint8); err != nil {
			b.Fatal(err)
		}
	}
}
