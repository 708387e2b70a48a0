// SPDX-License-Identifier: Apache-2.0

package compare

import (
	"fmt"
	"slices"
	"strings"

	"edgex-offload/offload"
	"edgex-offload/twin"
)

// The references that may be played beside the policies.
const (
	// KnownNetwork is the policy quantile that sees when each remote attempt will be answered.
	KnownNetwork = "known-network"
	// EverythingKnown is a schedule found by search over the recorded tasks.
	EverythingKnown = twin.EverythingKnown
	// CostFIFO is the cost model with K = 2 on a first-come-first-served queue: no
	// priorities, no shedding, no backup, one variant.
	CostFIFO = "cost-fifo"
)

// Names are all that can be played.
func Names() []string {
	return append(offload.Policies(), KnownNetwork, EverythingKnown, CostFIFO)
}

// Entry is what plays every cell.
type Entry struct {
	Name     string
	Settings offload.Settings
	// Foresight: it knows the network's future. Searched: it is no policy, but found by search.
	Foresight, Searched bool
}

// NewEntry makes one from its name and the settings of all; the error lists the names.
func NewEntry(name string, of offload.Settings) (Entry, error) {
	e := Entry{Name: name, Settings: of}
	var err error
	switch name {
	case KnownNetwork:
		e.Foresight, e.Settings.Policy = true, "quantile"
	case EverythingKnown:
		e.Searched = true
	case CostFIFO:
		e.Settings.Policy, e.Settings.JitterFactor = offload.PolicyCost, 2
		err = Set(&e.Settings, "FIFO", "true")
	default:
		if !slices.Contains(offload.Policies(), name) {
			return e, fmt.Errorf("policies %q: allowed are %s", name, strings.Join(Names(), ", "))
		}
		e.Settings.Policy = name
	}
	if err == nil {
		err = e.Settings.Validate()
	}
	if err != nil {
		return e, fmt.Errorf("policies %q: %w", name, err)
	}
	return e, nil
}

// Sweep plays every entry with each value of a setting.
type Sweep struct {
	Key    string
	Values []string
}

// with gives the entry with a value of the sweep.
func (e Entry) with(key, value string) (Entry, error) {
	err := Set(&e.Settings, key, value)
	if err == nil {
		err = e.Settings.Validate()
	}
	if err != nil {
		return e, fmt.Errorf("sweep: %w", err)
	}
	return e, nil
}
