// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestProfilesYieldWhatTheySay(t *testing.T) {
	for _, p := range Profiles() {
		t.Run(p.Name, func(t *testing.T) {
			var got Summary
			var rtt time.Duration
			const seeds, perSeed = 6, int(time.Hour / Slot)
			up := 0
			for seed := range int64(seeds) {
				source, wasOut := p.Start(seed), false
				for range perSeed {
					c := source.Next()
					if c.Out() && !wasOut {
						got.OutagesPerMin++
					}
					if wasOut = c.Out(); wasOut {
						got.Outage++
						continue
					}
					up++
					rtt += c.RTT
					got.UpBps += c.UpBps
					got.DownBps += c.DownBps
				}
			}
			assert.InEpsilon(t, p.Summary.RTT, rtt/time.Duration(up), .1, "RTT %s", rtt/time.Duration(up))
			assert.InEpsilon(t, p.Summary.UpBps, got.UpBps/float64(up), .1, "up %.0f kbit/s", got.UpBps/float64(up)/125)
			assert.InEpsilon(t, p.Summary.DownBps, got.DownBps/float64(up), .1, "down %.0f kbit/s", got.DownBps/float64(up)/125)
			assert.InDelta(t, p.Summary.Outage, got.Outage/(seeds*float64(perSeed)), .1*p.Summary.Outage)
			assert.InDelta(t, p.Summary.OutagesPerMin, got.OutagesPerMin/(seeds*60), .1*p.Summary.OutagesPerMin)
		})
	}
}

func TestEachProfileBeginsUp(t *testing.T) {
	for _, p := range Profiles() {
		for seed := range int64(20) {
			source := p.Start(seed)
			for i := range 40 {
				require.False(t, source.Next().Out(), "%s, seed %d, slot %d", p.Name, seed, i)
			}
		}
	}
}

func TestAProfileThatIsNotThere(t *testing.T) {
	_, err := ProfileNamed("dialup")
	require.EqualError(t, err, `profile "dialup": allowed are lan, wifi, lte, 5g-drive, satellite, flaky`)
	p, err := ProfileNamed("flaky")
	require.NoError(t, err)
	assert.Equal(t, "flaky", p.Name)
}
