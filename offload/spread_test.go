// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// What the repository learned of a version's spread counts until the engine has measured it.
func TestASpreadIsAssumedUntilMeasured(t *testing.T) {
	const left, takes = 24 * time.Millisecond, 20 * time.Millisecond
	unknown, wide := &serviceTime{}, &serviceTime{spread: (6 * time.Millisecond).Seconds()}
	assert.Less(t, wide.within(left, takes), unknown.within(left, takes))
	for i := range 50 {
		unknown.add(time.Duration(i)*time.Second, takes)
		wide.add(time.Duration(i)*time.Second, takes)
	}
	assert.InDelta(t, unknown.within(left, takes), wide.within(left, takes), 1e-12)
}
