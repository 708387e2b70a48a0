// SPDX-License-Identifier: Apache-2.0

package fit

import (
	"fmt"
	"strings"

	"edgex-offload/offload"
)

// Configuration writes parameters as the service's configuration has them, to be put in its
// place there.
func Configuration(s *offload.Settings, parameters []Parameter) string {
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, "Offload:\n  Writable:\n    Policy: %s\n", s.Policy)
	under := ""
	for i := range parameters {
		p := &parameters[i]
		section, key, nested := strings.Cut(p.Name, ".")
		indent := "    "
		if nested {
			if section != under {
				_, _ = fmt.Fprintf(&b, "    %s:\n", section)
			}
			indent += "  "
		} else {
			section, key = "", p.Name
		}
		under = section
		_, _ = fmt.Fprintf(&b, "%s%s: %s\n", indent, key, p.Text(s))
	}
	return b.String()
}
