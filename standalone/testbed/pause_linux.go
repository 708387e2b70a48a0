// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// pause blocks the thread, by the kernel's own timer.
func pause(d time.Duration) {
	left := unix.NsecToTimespec(d.Nanoseconds())
	for errors.Is(unix.Nanosleep(&left, &left), unix.EINTR) { // the runtime interrupts threads
	}
}
