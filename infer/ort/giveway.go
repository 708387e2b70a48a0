// SPDX-License-Identifier: Apache-2.0

package ort

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// loadNice is how much lower the priority of loading is (setpriority(2): 0 is normal, 19 the
// lowest): where tasks want the same core they get nine tenths of it.
const loadNice = 10

// giveWay runs do on a thread of its own, behind those that run tasks: to make a session takes
// a core for tenths of a second. Only Linux knows priorities of threads.
func giveWay(do func() error) error {
	if runtime.GOOS != "linux" {
		return do()
	}
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with its priority
		if nice, err := niceOfThread(); err == nil {
			_ = unix.Setpriority(unix.PRIO_PROCESS, 0, min(nice+loadNice, 19)) // else it goes on as it is
		}
		done <- do()
	}()
	return <-done
}

// niceOfThread is the nice value of the calling thread: Linux's own call gives 20 less that.
func niceOfThread() (int, error) {
	priority, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	return 20 - priority, err
}
