// SPDX-License-Identifier: Apache-2.0

// Package policy holds the trained network that ships for policy dqn, and tells whether a
// network fits the states and actions of this version.
package policy

import (
	_ "embed" // of the network
	"fmt"
	"slices"
	"strings"

	"edgex-offload/infer/mlp"
	"edgex-offload/offload"
)

//go:embed dqn.onnx
var shipped string

// Shipped is the network that ships, as ONNX.
func Shipped() []byte { return []byte(shipped) }

// Metadata keys of a network's file.
const (
	KeyState   = "state"
	KeyActions = "actions"
	KeyReward  = "reward"
	KeyTrained = "trained"
)

// Describe is what a network's file says of how it came about: what it was rewarded for, what
// the next task's reward counted, and in words how it was trained.
func Describe(w offload.Reward, gamma float64, trained string) map[string]string {
	return map[string]string{
		KeyState:   strings.Join(offload.StateNames(), ","),
		KeyActions: strings.Join(offload.ActionNames(), ","),
		KeyReward: fmt.Sprintf("accuracy=%v miss=%v latency=%v energy=%v cost=%v gamma=%v",
			w.Accuracy, w.Miss, w.Latency, w.Energy, w.Cost, gamma),
		KeyTrained: trained,
	}
}

// Check tells whether a file is a network for the states and actions of this version, by its
// metadata.
func Check(file []byte) error {
	metadata, err := mlp.Metadata(file)
	if err != nil {
		return fmt.Errorf("network: %w", err)
	}
	for _, want := range []struct {
		key   string
		names []string
	}{{KeyState, offload.StateNames()}, {KeyActions, offload.ActionNames()}} {
		if got := strings.Split(metadata[want.key], ","); !slices.Equal(got, want.names) {
			return fmt.Errorf("network: %s %q: allowed is %q: train it again", want.key, metadata[want.key], strings.Join(want.names, ","))
		}
	}
	return nil
}

// Read reads a network that runs in Go.
func Read(file []byte) (*mlp.Network, error) {
	if err := Check(file); err != nil {
		return nil, err
	}
	n, _, err := mlp.Read(file)
	if err != nil {
		return nil, fmt.Errorf("network: %w", err)
	}
	if n.Inputs() != offload.StateSize || n.Outputs() != offload.Actions {
		return nil, fmt.Errorf("network: %d inputs and %d outputs: allowed are %d and %d", n.Inputs(), n.Outputs(), offload.StateSize, offload.Actions)
	}
	return n, nil
}
