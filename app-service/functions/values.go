// SPDX-License-Identifier: Apache-2.0

package functions

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/edgexfoundry/go-mod-core-contracts/v3/common"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos"

	"edgex-offload/offload"
)

// ResourceValues is the reading of an outcome event that has all values of an answer.
const ResourceValues = "Values" // String: JSON array of label, value, unit

// maxValues is how many values have a reading of their own; Values has the rest as well.
const maxValues = 32

// addValues adds what a regression or an anomaly model found: all of it as JSON, and for
// rules a Float64 reading per value, named after its label. A label that is the name of
// another reading of the event has its value in the JSON alone.
func addValues(event *dtos.Event, values []offload.Value) error {
	if len(values) == 0 {
		return nil
	}
	all, err := json.Marshal(values)
	if err != nil {
		return fmt.Errorf("values: %w", err)
	}
	if err := event.AddSimpleReading(ResourceValues, common.ValueTypeString, string(all)); err != nil {
		return fmt.Errorf("reading %s: %w", ResourceValues, err)
	}
	taken := outcomeResources()
	for _, v := range values[:min(len(values), maxValues)] {
		if slices.Contains(taken, v.Label) {
			continue
		}
		taken = append(taken, v.Label)
		if err := event.AddSimpleReading(v.Label, common.ValueTypeFloat64, v.Value); err != nil {
			return fmt.Errorf("reading %q: %w", v.Label, err)
		}
		event.Readings[len(event.Readings)-1].Units = v.Unit
	}
	return nil
}
