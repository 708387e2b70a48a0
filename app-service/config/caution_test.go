// SPDX-License-Identifier: Apache-2.0

package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPrivateTasksAndAModelServerElsewhere(t *testing.T) {
	for _, c := range []struct {
		address string
		task    Task
		warned  bool
	}{
		{"", Task{Private: true}, false},
		{"localhost:8001", Task{Private: true}, false},
		{"127.0.0.1:8001", Task{Private: true}, false},
		{"[::1]:8001", Task{FeaturesOnly: true}, false},
		{"triton:8001", Task{}, false},
		{"triton:8001", Task{Private: true}, true},
		{"10.0.0.7:8001", Task{FeaturesOnly: true}, true},
	} {
		o := Default()
		o.Models.OIP.Address = c.address
		o.Writable.Tasks = map[string]Task{"gate": c.task, "belt": {}}
		told := o.Cautions()
		require.Equal(t, c.warned, len(told) == 1, "%+v", c)
		if c.warned {
			assert.Contains(t, told[0], "Offload.Models.OIP.Address is \""+c.address+"\"")
			assert.Contains(t, told[0], "what Writable.Tasks.gate keep on the box goes to it")
		}
	}
}
