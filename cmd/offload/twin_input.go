// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"edgex-offload/models/policy"
	"edgex-offload/offload"
	"edgex-offload/standalone/emulator"
	"edgex-offload/twin"
	"edgex-offload/twin/scenario"
)

// benchmarkName stands for the scenario that ships.
const benchmarkName = "benchmark"

// readScenario reads a file, or gives the benchmark. The links that it names are looked for
// beside it.
func readScenario(name string) (twin.Scenario, error) {
	if name == benchmarkName {
		return twin.Benchmark(), nil
	}
	file, err := os.Open(name)
	if err != nil {
		return twin.Scenario{}, fmt.Errorf("scenario: %w", err)
	}
	defer func() { _ = file.Close() }()
	s, err := scenario.Read(file, func(trace string) (twin.Trace, error) { return readTwinTrace(beside(name, trace)) })
	if err != nil {
		return twin.Scenario{}, fmt.Errorf("scenario %s: %w", name, err)
	}
	return s, nil
}

// beside is where a file that another one names lies.
func beside(file, named string) string {
	if filepath.IsAbs(named) {
		return named
	}
	return filepath.Join(filepath.Dir(file), named)
}

// readNetwork reads a network of policy dqn, or gives the one that ships.
func readNetwork(file string) (offload.Network, error) {
	content := policy.Shipped()
	if file != "" {
		const most = 16 << 20
		info, err := os.Stat(file)
		if err == nil && info.Size() > most {
			err = fmt.Errorf("%s has %d bytes: allowed are up to %d", file, info.Size(), most)
		}
		if err == nil {
			content, err = os.ReadFile(file)
		}
		if err != nil {
			return nil, fmt.Errorf("network: %w", err)
		}
	}
	n, err := policy.Read(content)
	if err != nil {
		return nil, err
	}
	return n, nil
}

// links are the traces that are named on the command line, or those of the scenario.
func (o twinOptions) links(s *twin.Scenario) ([]twin.Trace, error) {
	if o.traces != "" {
		return readTraces(o.traces)
	}
	if len(s.Traces) == 0 {
		return nil, errors.New("traces: a folder or a file is needed, since the scenario names none")
	}
	var files []string
	for _, trace := range s.Traces {
		files = append(files, beside(o.scenario, trace))
	}
	return readTraceFiles(files)
}

// readTraces reads one trace or a folder of them.
func readTraces(path string) ([]twin.Trace, error) {
	files, err := traceFiles(path)
	if err != nil {
		return nil, err
	}
	return readTraceFiles(files)
}

// readTraceFiles reads them all, and names all that cannot be read.
func readTraceFiles(files []string) ([]twin.Trace, error) {
	var traces []twin.Trace
	var errs []error
	seen := map[string]bool{}
	for _, file := range files {
		trace, err := readTwinTrace(file)
		if err == nil && seen[trace.Name] {
			err = fmt.Errorf("%s: another trace has this name", file)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("traces: %w", err))
		}
		seen[trace.Name] = true
		traces = append(traces, trace)
	}
	return traces, errors.Join(errs...)
}

func readTwinTrace(file string) (twin.Trace, error) {
	recorded, err := readTrace(file)
	if err != nil {
		return twin.Trace{}, err
	}
	return twinTrace(file, recorded), nil
}

// twinTrace is a trace as the twin takes it.
func twinTrace(file string, recorded emulator.Trace) twin.Trace {
	trace := twin.Trace{Name: strings.TrimSuffix(filepath.Base(file), ".csv")}
	for _, c := range recorded.Slots {
		trace.Slots = append(trace.Slots, twin.Slot{RTT: c.RTT, Up: c.UpBps, Down: c.DownBps, Lost: c.Loss >= .5})
	}
	return trace
}
