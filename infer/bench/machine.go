// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/cpu"
)

// machine is what of the machine the figures depend on.
type machine struct {
	Arch  string `json:"arch"`
	CPU   string `json:"cpu"`
	Cores int    `json:"cores"`
	// Integers is what the processor has for INT8: without any of it INT8 gains little.
	Integers string `json:"integers"`
}

func (m machine) String() string {
	return fmt.Sprintf("%s, %s, %d cores, INT8 by %s", m.Arch, m.CPU, m.Cores, m.Integers)
}

func thisMachine() machine {
	return machine{Arch: runtime.GOARCH, CPU: processor(), Cores: runtime.GOMAXPROCS(0), Integers: integers()}
}

// processor is the name that the kernel gives.
func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo") // without it the name is not known
	lines := bufio.NewScanner(bytes.NewReader(info))
	for lines.Scan() {
		if key, value, is := strings.Cut(lines.Text(), ":"); is && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "processor not named"
}

func integers() string {
	var has []string
	for _, f := range []struct {
		name string
		has  bool
	}{
		{"AVX-512 VNNI", cpu.X86.HasAVX512VNNI},
		{"AVX VNNI", cpu.X86.HasAVXVNNI},
		{"dot products", cpu.ARM64.HasASIMDDP},
		{"I8MM", cpu.ARM64.HasI8MM},
	} {
		if f.has {
			has = append(has, f.name)
		}
	}
	return cmp.Or(strings.Join(has, ", "), "nothing of its own (no VNNI, no dot products)")
}

// residentMB is the memory that the process has in RAM, in MB; 0 where the kernel does not say.
func residentMB() float64 {
	stat, _ := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(stat))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.Atoi(fields[1])
	return float64(pages*os.Getpagesize()) / 1e6
}
