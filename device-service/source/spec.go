// SPDX-License-Identifier: Apache-2.0

package source

import "time"

// Spec is a source with the settings that came with it.
type Spec struct {
	Source   Source
	Rate     float64       // samples per second to begin with
	FreeRate bool          // rate 0, as the source delivers, is allowed
	Enabled  bool          // whether it begins turned on
	Silence  time.Duration // longest time without a sample; 0 is for ever
}
