// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
)

// Cautions says what is allowed, and yet may not be what is meant: tasks that must not leave
// the box, and a model server elsewhere. A server counts as the box whatever its address is, as
// its container may have a name of its own on the same host.
func (o Offload) Cautions() []string {
	var private []string
	for _, name := range slices.Sorted(maps.Keys(o.Writable.Tasks)) {
		if task := o.Writable.Tasks[name]; task.Private || task.FeaturesOnly {
			private = append(private, "Writable.Tasks."+name)
		}
	}
	if len(private) == 0 || o.Models.OIP.Address == "" || onThisBox(o.Models.OIP.Address) {
		return nil
	}
	return []string{fmt.Sprintf("%s.Models.OIP.Address is %.80q: it has to be on this box, because what %s keep on the box goes to it, for models with backend: oip",
		Section, o.Models.OIP.Address, strings.Join(private, ", "))}
}

// onThisBox tells whether an address is surely this machine's own.
func onThisBox(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || (ip != nil && ip.IsLoopback()))
}
