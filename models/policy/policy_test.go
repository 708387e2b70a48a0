// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/infer/mlp"
	"edgex-offload/infer/ort"
	"edgex-offload/offload"
)

func TestTheShippedNetworkFitsThisVersion(t *testing.T) {
	n, err := Read(Shipped())
	require.NoError(t, err, "the states or actions have changed: train it again as README.md says")
	metadata, err := mlp.Metadata(Shipped())
	require.NoError(t, err)
	assert.Contains(t, metadata[KeyTrained], "offload twin train")
	assert.Equal(t, offload.StateSize, n.Inputs())
}

// The twin runs it in Go, the box with ONNX Runtime: both decide alike.
func TestTheShippedNetworkIsTheSameInONNXRuntime(t *testing.T) {
	if _, err := ort.Find(""); err != nil {
		t.Skip(err)
	}
	inGo, err := Read(Shipped())
	require.NoError(t, err)
	runtime, err := ort.New(ort.Options{})
	require.NoError(t, err)
	defer func() { assert.NoError(t, runtime.Close()) }()
	there, err := runtime.LoadNetwork(context.Background(), Shipped(), offload.StateSize, offload.Actions)
	require.NoError(t, err)
	defer func() { assert.NoError(t, there.Close()) }()
	rng := rand.New(rand.NewPCG(1, 0))
	for range 500 {
		var state [offload.StateSize]float32
		var want, got [offload.Actions]float32
		for i := range state {
			state[i] = rng.Float32()
		}
		require.NoError(t, inGo.Values(state[:], want[:]))
		require.NoError(t, there.Values(state[:], got[:]))
		assert.InDeltaSlice(t, want[:], got[:], 1e-5)
	}
}

func TestANetworkForOtherStatesIsRefused(t *testing.T) {
	n, err := mlp.New(rand.New(rand.NewPCG(1, 0)), offload.StateSize, offload.Actions)
	require.NoError(t, err)
	metadata := Describe(offload.DefaultLearning().Reward, .5, "not at all")
	file, err := n.ONNX(metadata)
	require.NoError(t, err)
	_, err = Read(file)
	require.NoError(t, err)

	metadata[KeyState] = "bias,weather"
	file, err = n.ONNX(metadata)
	require.NoError(t, err)
	_, err = Read(file)
	assert.ErrorContains(t, err, `network: state "bias,weather": allowed is "bias,priority`)

	small, err := mlp.New(rand.New(rand.NewPCG(1, 0)), 2, offload.Actions)
	require.NoError(t, err)
	file, err = small.ONNX(Describe(offload.DefaultLearning().Reward, .5, "not at all"))
	require.NoError(t, err)
	_, err = Read(file)
	assert.ErrorContains(t, err, "2 inputs and 3 outputs: allowed are 20 and 3")
	_, err = Read([]byte("no network"))
	assert.Error(t, err)
}
