// SPDX-License-Identifier: Apache-2.0

package supply

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Clock is a clock and its limit.
type Clock struct {
	// Name is the kernel's.
	Name string `json:"name"`
	// NowMHz is what it is at, LimitMHz what it may be at, FullMHz what the hardware could do.
	// Of several cores it is the mean.
	NowMHz   float64 `json:"nowMHz"`
	LimitMHz float64 `json:"limitMHz"`
	FullMHz  float64 `json:"fullMHz"`
	// Cores are those that are on, of a processor.
	Cores int `json:"cores,omitempty"`
}

// Share is that of the full clock which it may be at, 0 to 1; 0 is unknown.
func (c Clock) Share() float64 {
	if !(c.LimitMHz > 0 && c.FullMHz > 0) {
		return 0
	}
	return min(c.LimitMHz/c.FullMHz, 1)
}

// mostKHz and mostHz are beyond any clock, in the units of cpufreq and devfreq.
const (
	mostKHz = 100_000_000
	mostHz  = 1000 * mostKHz
)

// cpu is the mean over the cores that are on. A power mode and a cooling device both lower
// scaling_max_freq: it is "the maximum frequency the CPUs are allowed to be running at", and
// cpuinfo_max_freq "the maximum possible" (cpufreq.rst).
func (r Reader) cpu() Clock {
	sum := Clock{Name: "cpu"}
	for _, policy := range entries(r.CPU, "policy") {
		limit, known := number(policy, "scaling_max_freq", 1, mostKHz)
		full, possible := number(policy, "cpuinfo_max_freq", 1, mostKHz)
		cores := len(strings.Fields(line(policy, "affected_cpus")))
		if !known || !possible || cores == 0 { // its cores are off
			continue
		}
		now, _ := number(policy, "scaling_cur_freq", 0, mostKHz)
		n := float64(cores)
		sum.NowMHz, sum.LimitMHz, sum.FullMHz = sum.NowMHz+n*now/1e3, sum.LimitMHz+n*limit/1e3, sum.FullMHz+n*full/1e3
		sum.Cores += cores
	}
	if sum.Cores == 0 {
		return Clock{}
	}
	n := float64(sum.Cores)
	sum.NowMHz, sum.LimitMHz, sum.FullMHz = sum.NowMHz/n, sum.LimitMHz/n, sum.FullMHz/n
	return sum
}

// gpu is the first GPU's. max_freq is what nvpmodel sets, and what heat leaves: it counts the
// limits of cooling devices in from Linux 5.10, so JetPack 5, on. The greatest of the available
// frequencies is what the hardware could do.
func (r Reader) gpu() Clock {
	for _, folder := range entries(r.Devfreq, "") {
		if !isGPU(filepath.Base(folder)) {
			continue
		}
		limit, ok := number(folder, "max_freq", 1, mostHz)
		full := greatest(read(filepath.Join(folder, "available_frequencies"), mostList))
		if !ok || full == 0 {
			continue
		}
		now, _ := number(folder, "cur_freq", 0, mostHz)
		return Clock{Name: filepath.Base(folder), NowMHz: now / 1e6, LimitMHz: limit / 1e6, FullMHz: full / 1e6}
	}
	return Clock{}
}

// isGPU tells by the name of a folder of devfreq: 17000000.ga10b (Orin, JetPack 5),
// 17000000.gpu (Orin, JetPack 6), 17000000.gv11b (Xavier), 17000000.gp10b (TX2), 57000000.gpu
// (Nano), gpu-gpc-0 (Thor; gpu-nvd-0 beside it is the video decoder). The names are those that
// jetson_stats looks for (https://github.com/rbonghi/jetson_stats, jtop/core/gpu.py).
func isGPU(name string) bool {
	_, kind, dotted := strings.Cut(name, ".")
	return dotted && slices.Contains([]string{"gpu", "ga10b", "gb10b", "gv11b", "gp10b"}, kind) ||
		strings.HasPrefix(name, "gpu-gpc-")
}

// greatest of frequencies in hertz, separated by blanks; 0 for none. What is no frequency is
// passed over.
func greatest(list string) (most float64) {
	if len(list) >= mostList { // the last one may be cut
		list = list[:strings.LastIndexAny(list, " \n\t")+1]
	}
	for _, field := range strings.Fields(list) {
		if hz, err := strconv.ParseInt(field, 10, 64); err == nil && hz > 0 && hz <= mostHz {
			most = max(most, float64(hz))
		}
	}
	return most
}
