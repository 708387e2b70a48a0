// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"errors"
	"fmt"
	"time"
)

// Config is what an engine is made from.
type Config struct {
	Settings Settings
	// Targets names the remote targets, the cloud and peers, in order of preference on a tie.
	Targets []Target
	// Models are what can answer tasks; replaced as a whole by a ModelsChanged event.
	Models []Model
	// Workers is how many local runs may be under way at once.
	Workers int
	// Power is what energy is computed from.
	Power Power
	// Probing is what may be spent on measuring links.
	Probing Probing
	// Epoch is the wall clock time of engine time zero.
	Epoch time.Time
	// Foresight, when set, is asked instead of the links' estimates: a simulation's reference of
	// what could be had if the network's future were known.
	Foresight Foresight
	// Network is what policy dqn asks; nil for none. A NetworkChanged event replaces it.
	Network Network
}

// Foresight knows what the network will do.
type Foresight interface {
	// Done is when the answer would be here if the payload of the task that arrived as ref were
	// handed to a target's transport now, with so many bytes before it.
	Done(now time.Duration, ref uint64, target, bytesAhead int) time.Duration
}

// Target is a place elsewhere that runs tasks.
type Target struct {
	// Name is not empty, not Local and not used twice.
	Name string
	// Metered: paid by the byte. It gets no packet trains and fewer probes.
	Metered bool
	// PricePerMB and PricePerCall are what sending costs, in the operator's currency, per 10^6
	// bytes and per task.
	PricePerMB, PricePerCall float64
}

// Power is what the box draws, in watts.
type Power struct {
	// Busy is drawn by a local run beyond the idle box, Radio while a payload is sent.
	Busy, Radio float64
}

// DefaultPower is that of a Jetson Xavier class box with a cellular modem.
func DefaultPower() Power { return Power{Busy: 12, Radio: 2.5} }

// Model is what answers one kind of question, on the box and elsewhere.
type Model struct {
	// Name is what tasks ask for in Task.Model.
	Name string
	// Local are the variants that are ready on the box; empty when there is none.
	Local []Variant
	// Remote is what is known of the model on the targets.
	Remote RemoteModel
	// Splits are the heads that are ready on the box, each with what continues elsewhere.
	Splits []Split
}

// Split is a network in two parts: its head runs on the box and gives Answer.Features, which are
// the payload of a task for its tail.
type Split struct {
	// Name is the head's variant, "name/version".
	Name string
	// Tail is the variant that a target is asked for. Features of other networks it refuses.
	Tail string
	// Accuracy of the whole way, 0 to 1; 0 is unknown.
	Accuracy float64
	// Service and TailService are the execution times to assume until they are measured, of the
	// head on the box and of the tail as it was measured with it; 0 is unknown.
	Service, TailService time.Duration
	// FeatureBytes is what typically goes out; 0 is unknown.
	FeatureBytes int
}

// Variant is one loaded model that answers for a Model on the box.
type Variant struct {
	// Name is "name/version" in the model repository.
	Name string
	// Accuracy is the share of right answers on held-out data, 0 to 1; 0 is unknown.
	Accuracy float64
	// Service is the execution time to assume until it is measured; 0 is unknown.
	Service time.Duration
	// Spread is the mean deviation from it to assume until it is measured; 0 is unknown.
	Spread time.Duration
}

// RemoteModel is a Model as the targets run it.
type RemoteModel struct {
	// Accuracy is 0 to 1; 0 is unknown and counts like the best local variant.
	Accuracy float64
	// Service is the execution time to assume until it is measured; 0 is unknown.
	Service time.Duration
}

func (c Config) validate() error {
	var errs []error
	errs = append(errs, c.Settings.Validate(), c.Probing.Validate())
	if c.Workers < 1 || c.Workers > 64 {
		errs = append(errs, fmt.Errorf("Workers %d: allowed is 1 to 64", c.Workers))
	}
	if len(c.Targets) > maxTargets {
		errs = append(errs, fmt.Errorf("Targets has %d names: allowed are at most %d", len(c.Targets), maxTargets))
	}
	seen := map[string]bool{Local: true}
	for _, t := range c.Targets {
		name := t.Name
		if name == "" || seen[name] {
			errs = append(errs, fmt.Errorf("Targets %q: allowed is a name that is not empty, not %q and not used twice", name, Local))
		}
		seen[name] = true
	}
	if c.Epoch.IsZero() {
		errs = append(errs, errors.New("Epoch is zero: it must be the wall clock time at which the engine starts"))
	}
	return errors.Join(errs...)
}

// maxTargets bounds the remote targets; each is looked at in each decision.
const maxTargets = 16
