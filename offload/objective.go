// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"fmt"
	"strings"
)

// The objectives by name: what a site wants most, as a set of Weights.
const (
	// ObjectiveBalanced is what DefaultSettings weigh: a point of accuracy is worth 50 ms.
	ObjectiveBalanced = "balanced"
	// ObjectiveAccuracy takes the better answer wherever it is in time: a point of accuracy is
	// worth 250 ms, so that the box's answer is held for nearly as long as there is time.
	ObjectiveAccuracy = "accuracy"
	// ObjectiveLatency takes the earlier answer: a point of accuracy is worth 5 ms, and next to
	// nothing is held.
	ObjectiveLatency = "latency"
	// ObjectiveEnergy saves joules: one is worth 4 s, .8 of accuracy, and four times that on a
	// battery that is empty. There is little to save, as a task costs joules on either path.
	ObjectiveEnergy = "energy"
	// ObjectiveCost saves money: a unit of it (Target.PricePerMB) is worth moneyOfCost.
	ObjectiveCost = "cost"

	// ObjectiveCustom stands, as "" does, for Weights as they are given.
	ObjectiveCustom = "custom"
)

// moneyOfCost is Weights.Money of the objective cost, in milliseconds for a unit of money. At
// 50 ms a point of accuracy and a unit a megabyte, a frame of 60 KB must then bring .42 of the
// accuracy of a result of the lowest priority: ten points more do that for a CRITICAL task
// alone, and so does a deadline that the box would miss. In the twin's benchmark it sends a
// quarter of what balanced does, for .007 of utility.
const moneyOfCost = 35_000

// Objectives lists the names of objectives, the default first.
func Objectives() []string {
	return []string{ObjectiveBalanced, ObjectiveAccuracy, ObjectiveLatency, ObjectiveEnergy, ObjectiveCost}
}

// ObjectiveWeights are those that an objective stands for. The error lists what is allowed.
func ObjectiveWeights(name string) (Weights, error) {
	switch name {
	case ObjectiveBalanced:
		return Weights{Latency: 1, Accuracy: 50}, nil
	case ObjectiveAccuracy:
		return Weights{Latency: 1, Accuracy: 250}, nil
	case ObjectiveLatency:
		return Weights{Latency: 1, Accuracy: 5}, nil
	case ObjectiveEnergy:
		return Weights{Latency: 1, Accuracy: 50, Energy: 4000, Battery: 12_000}, nil
	case ObjectiveCost:
		return Weights{Latency: 1, Accuracy: 50, Money: moneyOfCost}, nil
	}
	return Weights{}, fmt.Errorf("Objective %q: allowed is %s, or %s for the Weights as they are given",
		name, strings.Join(Objectives(), ", "), ObjectiveCustom)
}

// weighed says that the Weights hold as they are given.
func (s *Settings) weighed() bool { return s.Objective == "" || s.Objective == ObjectiveCustom }

// resolved are the settings with the weights of their objective.
func (s Settings) resolved() Settings {
	if !s.weighed() {
		if w, err := ObjectiveWeights(s.Objective); err == nil {
			s.Weights = w
		}
	}
	return s
}

// validateObjective refuses weights beside an objective that is not theirs: one of the two
// would be without effect, and nobody would see which.
func (s *Settings) validateObjective() error {
	if s.weighed() {
		return nil
	}
	own, err := ObjectiveWeights(s.Objective)
	if err != nil {
		return err
	}
	if s.Weights != own && s.Weights != DefaultSettings().Weights {
		return fmt.Errorf("Weights %+v beside Objective %q: allowed is Objective %q, or the default weights", s.Weights, s.Objective, ObjectiveCustom)
	}
	return nil
}
