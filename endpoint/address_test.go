// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestValidateAddress(t *testing.T) {
	for _, c := range []struct {
		address  string
		listener bool
		want     string // "" is allowed
	}{
		{"cloud:50051", false, ""},
		{"[fe80::1]:1", false, ""},
		{":0", true, ""},
		{"", false, `Address "": allowed is host:port`},
		{":1", false, "the host is missing"},
		{"a:0", false, "allowed is 1 to 65535"},
		{"a:65536", true, "allowed is 0 to 65535"},
		{"a:b", true, `port "b"`},
		{"a", false, "as in 192.168.1.10:50051"},
	} {
		err := ValidateAddress("Address", c.address, c.listener)
		if c.want == "" {
			assert.NoError(t, err, c.address)
			continue
		}
		assert.ErrorContains(t, err, c.want)
	}
}
