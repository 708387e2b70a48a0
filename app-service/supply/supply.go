// SPDX-License-Identifier: Apache-2.0

// Package supply reads what the box runs on, and how warm it is, from Linux' sysfs: the
// folders of /sys/class/power_supply and /sys/class/thermal (the kernel's documentation,
// ABI/testing/sysfs-class-power and sysfs-class-thermal). What is missing, unreadable or
// absurd counts as not there; a box without a battery is on the mains.
package supply

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"edgex-offload/runner"
)

// Interval is how often it is looked at; a charge changes within minutes.
const Interval = 10 * time.Second

// Reader reads the folders.
type Reader struct {
	// Power has a folder for each supply, Thermal one for each sensor; "" is none.
	Power, Thermal string
}

const (
	// mostEntries bounds the folders that are looked at, and mostBytes what is read of a file;
	// sysfs has a line in each.
	mostEntries = 64
	mostBytes   = 64
)

// Read gives what the box runs on now.
func (r Reader) Read() runner.Box {
	box := runner.Box{Battery: 1, Charging: true, TemperatureC: r.temperature()}
	sum, batteries := 0., 0
	for _, folder := range entries(r.Power, "") {
		charge, draining, ok := battery(folder)
		if !ok {
			continue
		}
		sum, batteries = sum+charge, batteries+1
		box.Charging = box.Charging && !draining
	}
	if batteries > 0 {
		box.Battery = sum / float64(batteries)
	}
	return box
}

// battery reads one that the box runs on: not a mouse's, and not one that was taken out.
func battery(folder string) (charge float64, draining, ok bool) {
	kind := line(folder, "type")
	if (kind != "Battery" && kind != "UPS") || line(folder, "scope") == "Device" || line(folder, "present") == "0" {
		return 0, false, false
	}
	percent, err := strconv.ParseFloat(line(folder, "capacity"), 64)
	if err != nil || !(percent >= 0 && percent <= 100) {
		return 0, false, false
	}
	return percent / 100, line(folder, "status") == "Discharging", true
}

// temperature is that of the hottest sensor; nil without one.
func (r Reader) temperature() *float64 {
	var hottest *float64
	for _, folder := range entries(r.Thermal, "thermal_zone") {
		const coldest, melted = -100_000, 250_000 // millidegrees Celsius
		milli, err := strconv.Atoi(line(folder, "temp"))
		if err != nil || milli < coldest || milli > melted {
			continue
		}
		if c := float64(milli) / 1000; hottest == nil || c > *hottest {
			hottest = &c
		}
	}
	return hottest
}

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
func line(folder, name string) string {
	path := filepath.Join(folder, name)
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() { // opening a pipe would wait
		return ""
	}
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, mostBytes))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// Follow tells what the box runs on, at once and with each tick that finds it changed, until
// ctx ends.
func Follow(ctx context.Context, read func() runner.Box, tick <-chan time.Time, tell func(runner.Box)) {
	last := read()
	tell(last)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick:
		}
		if now := read(); !same(now, last) {
			last = now
			tell(now)
		}
	}
}

func same(a, b runner.Box) bool {
	if a.Battery != b.Battery || a.Charging != b.Charging || (a.TemperatureC == nil) != (b.TemperatureC == nil) {
		return false
	}
	return a.TemperatureC == nil || *a.TemperatureC == *b.TemperatureC
}
