// SPDX-License-Identifier: Apache-2.0

package report

// Expect says which stages must have carried something.
type Expect struct {
	// Cloud: the cloud's model is better, so it must have answered. Otherwise it is enough
	// that the box could have used it, unless CloudUnused.
	Cloud, CloudUnused bool
}

// Missing names the stages that carried nothing, in the order of the flow; none is well.
func (r Report) Missing(expect Expect) []string {
	answered := r.Outcomes.Local + r.Outcomes.Cloud
	reachable := expect.CloudUnused || r.Outcomes.Cloud > 0 || r.reachable
	var missing []string
	for _, stage := range []struct {
		carried bool
		name    string
	}{
		{r.Frames > 0, "frames: no frame and no window of the device service came over the bus"},
		{r.Tasks > 0, "tasks: the app service decided no task"},
		{answered > 0, "outcomes: no task was answered"},
		{r.EventsPublished > 0, "events: no outcome event came over the bus"},
		{reachable, "cloud: the app service could never use it"},
		{!expect.Cloud || !reachable || r.Outcomes.Cloud > 0, "cloud: it answered no task"},
	} {
		if !stage.carried {
			missing = append(missing, stage.name)
		}
	}
	return missing
}
