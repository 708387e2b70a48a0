// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"

	"edgex-offload/offload"
)

// chosenEnough is how often the cloud must have been chosen before it is held to have
// answered: a link may fail a few tasks in a row.
const chosenEnough = 5

// Missing names the stages that carried nothing, in the order of the flow; none is well.
// The cloud must have been within reach, unless the policy is "local", and must have
// answered where it was chosen.
func (r Report) Missing() []string {
	reachable := r.Policy == offload.PolicyLocal || r.Outcomes.Cloud > 0 || r.reachable
	var missing []string
	for _, stage := range []struct {
		carried bool
		name    string
	}{
		{r.Frames > 0, "frames: no frame and no window of the device service came over the bus"},
		{r.Tasks > 0, "tasks: the app service decided no task"},
		{r.Outcomes.Local+r.Outcomes.Cloud > 0, "outcomes: no task was answered"},
		{r.EventsPublished > 0, "events: no outcome event came over the bus"},
		{reachable, "cloud: the app service could never use it"},
		{r.Outcomes.Cloud > 0 || r.chosen < chosenEnough, fmt.Sprintf("cloud: it was chosen %d times and answered no task", r.chosen)},
	} {
		if !stage.carried {
			missing = append(missing, stage.name)
		}
	}
	return missing
}
