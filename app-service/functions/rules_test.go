// SPDX-License-Identifier: Apache-2.0

package functions

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestNewRulesNamesWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		rules []Rule
		want  string
	}{
		"no resource": {[]Rule{{Name: "a"}}, `a.Resource "": allowed is the name of a device resource`},
		"outcome":     {[]Rule{{Name: "a", Resource: "Label"}}, `a.Resource "Label": allowed is any resource but those of outcomes`},
		"twice": {
			[]Rule{{Name: "a", Resource: "r", Device: "d"}, {Name: "b", Resource: "r", Device: "d"}},
			`b.Resource "r": allowed is one rule for the same Device, Profile and Resource, a has them too`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewRules(c.rules...)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// A rule that names more of the reading is never passed by for one that names less.
func TestFindPrefersTheClosestRule(t *testing.T) {
	weight := func(r Rule) (w int) {
		if r.Device != "" {
			w += 2
		}
		if r.Profile != "" {
			w++
		}
		return w
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"", "x", "y"})
		rules := rapid.SliceOfDistinct(rapid.Custom(func(t *rapid.T) Rule {
			return Rule{Device: name.Draw(t, "device"), Profile: name.Draw(t, "profile"), Resource: "r"}
		}), func(r Rule) selector { return selector{r.Device, r.Profile, r.Resource} }).Draw(t, "rules")
		all, err := NewRules(rules...)
		require.NoError(t, err)

		best := -1
		for _, r := range rules {
			if (r.Device == "" || r.Device == "x") && (r.Profile == "" || r.Profile == "y") {
				best = max(best, weight(r))
			}
		}
		found, ok := all.Find("y", "x", "r")
		require.Equal(t, best >= 0, ok)
		if ok {
			require.Equal(t, best, weight(found))
		}
		_, ok = all.Find("y", "x", "other")
		require.False(t, ok)
	})
}
