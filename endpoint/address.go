// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"fmt"
	"net"
	"strconv"
)

// ValidateAddress checks a "host:port". A listener may leave the host empty and may ask
// for port 0, which stands for any free one.
func ValidateAddress(key, address string, listener bool) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%s %q: allowed is host:port, as in 192.168.1.10:50051 or [fe80::1]:50051", key, address)
	}
	if host == "" && !listener {
		return fmt.Errorf("%s %q: the host is missing; allowed is host:port", key, address)
	}
	lowest := uint64(1)
	if listener {
		lowest = 0
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n < lowest {
		return fmt.Errorf("%s %q: port %q: allowed is %d to 65535", key, address, port, lowest)
	}
	return nil
}
