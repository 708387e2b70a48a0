// SPDX-License-Identifier: Apache-2.0

package supply

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	// mostEntries bounds the folders that are looked at; a Thor has some 40 in its largest.
	mostEntries = 256
	// mostBytes is what is read of a file with one value, mostList of one with many: sysfs has a
	// page at most. mostModes is for a file of power modes, which has 10 to 30 KB.
	mostBytes = 64
	mostList  = 4096
	mostModes = 256 << 10
)

// entries are the paths in a folder whose names start with a prefix, in order of name.
func entries(folder, prefix string) []string {
	if folder == "" {
		return nil
	}
	dir, err := os.Open(folder)
	if err != nil {
		return nil
	}
	defer func() { _ = dir.Close() }()
	names, _ := dir.Readdirnames(mostEntries)
	slices.Sort(names)
	var paths []string
	for _, name := range names {
		if strings.HasPrefix(name, prefix) {
			paths = append(paths, filepath.Join(folder, name))
		}
	}
	return paths
}

// line is what a file says; "" where it cannot be read.
func line(folder, name string) string { return read(filepath.Join(folder, name), mostBytes) }

func read(path string, most int64) string {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() { // opening a pipe would wait
		return ""
	}
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, most))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// number is what a file says as a whole number within limits.
func number(folder, name string, low, high int64) (float64, bool) {
	n, err := strconv.ParseInt(line(folder, name), 10, 64)
	if err != nil || n < low || n > high {
		return 0, false
	}
	return float64(n), true
}

// name is what a file says as a name; "" where it is none, for it goes into logs and metrics.
func name(folder, file string) string { return named(line(folder, file)) }

func named(text string) string {
	for _, c := range text {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune(" ._-+:", c)) {
			return ""
		}
	}
	return text
}
