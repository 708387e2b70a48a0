// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// columnsOf is how many columns a terminal has; 0 for anything else.
func columnsOf(out io.Writer) int {
	file, ok := out.(*os.File)
	if !ok {
		return 0
	}
	size, err := unix.IoctlGetWinsize(int(file.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Col)
}
