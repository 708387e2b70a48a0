// SPDX-License-Identifier: Apache-2.0

package fit

import (
	"fmt"
	"strings"

	"edgex-offload/offload"
)

// Begin gives settings the weights of an objective, each of which may then be changed.
func Begin(s offload.Settings, objective string) (offload.Settings, error) {
	var err error
	s.Objective = offload.ObjectiveCustom
	s.Weights, err = offload.ObjectiveWeights(objective)
	return s, err
}

// Configuration writes parameters as the service's configuration has them, to be put in its
// place there: the weights by the name of an objective where they are its own, else all of them.
func Configuration(s *offload.Settings, parameters []Parameter) string {
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, "Offload:\n  Writable:\n    Policy: %s\n    Objective: %s\n", s.Policy, objectiveOf(s))
	if w := &s.Weights; objectiveOf(s) == offload.ObjectiveCustom {
		_, _ = fmt.Fprintf(&b, "    Weights:\n      Latency: %v\n      Accuracy: %v\n      Energy: %v\n      Money: %v\n      Battery: %v\n",
			w.Latency, w.Accuracy, w.Energy, w.Money, w.Battery)
	}
	under := ""
	for i := range parameters {
		p := &parameters[i]
		section, key, nested := strings.Cut(p.Name, ".")
		switch {
		case section == "Weights":
			continue
		case !nested:
			_, _ = fmt.Fprintf(&b, "    %s: %s\n", p.Name, p.Text(s))
			continue
		case section != under:
			_, _ = fmt.Fprintf(&b, "    %s:\n", section)
		}
		under = section
		_, _ = fmt.Fprintf(&b, "      %s: %s\n", key, p.Text(s))
	}
	return b.String()
}

func objectiveOf(s *offload.Settings) string {
	for _, name := range offload.Objectives() {
		if w, err := offload.ObjectiveWeights(name); err == nil && w == s.Weights {
			return name
		}
	}
	return offload.ObjectiveCustom
}
