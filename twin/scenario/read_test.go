// SPDX-License-Identifier: Apache-2.0

package scenario_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/twin"
	"edgex-offload/twin/scenario"
)

func TestShippedFileIsTheBenchmark(t *testing.T) {
	s, err := scenario.Read(strings.NewReader(scenario.BenchmarkYAML()), nil)
	require.NoError(t, err)
	assert.Equal(t, twin.Benchmark(), s)
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	s := twin.Benchmark()
	s.Name, s.Traces = "site", []string{"a.csv"}
	s.Targets = append(s.Targets, twin.Target{
		Name: "peer", Service: s.Targets[0].Service, Accuracy: .85, Metered: true,
		Link: twin.Link{RTT: 2e6, UpKbps: 1e5, DownKbps: 1e5, Loss: .01},
	})
	var file bytes.Buffer
	require.NoError(t, scenario.Write(&file, s, "from\nnowhere"))
	read, err := scenario.Read(&file, nil)
	require.NoError(t, err)
	assert.Equal(t, s, read)
}

func TestWhatIsLeftOutIsAsInTheBenchmark(t *testing.T) {
	s, err := scenario.Read(strings.NewReader("name: mine\nwire: {retries: 3}\n"), nil)
	require.NoError(t, err)
	want := twin.Benchmark()
	want.Name, want.Wire.Retries = "mine", 3
	assert.Equal(t, want, s)
}

func TestLinksOfTargetsAreRead(t *testing.T) {
	const file = "targets: [{name: peer, service: 5ms, accuracy: 0.8, link: {trace: wifi.csv}}]"
	slots := []twin.Slot{{RTT: 1, Up: 1, Down: 1}}
	s, err := scenario.Read(strings.NewReader(file), func(name string) (twin.Trace, error) {
		assert.Equal(t, "wifi.csv", name)
		return twin.Trace{Slots: slots}, nil
	})
	require.NoError(t, err)
	assert.Equal(t, slots, s.Targets[0].Link.Slots)

	_, err = scenario.Read(strings.NewReader(file), func(string) (twin.Trace, error) { return twin.Trace{}, errors.New("wifi.csv: gone") })
	assert.EqualError(t, err, "targets[0].link.trace: wifi.csv: gone")
}

func TestMistakes(t *testing.T) {
	for says, file := range map[string]string{
		"file is empty":                                               "",
		"line 3: key chunk: unknown here":                             "name: x\n\nchunk: 3",
		"line 2: key burts: unknown here":                             "classes:\n  - {burts: 1}",
		"line 1: `many`: allowed is a number":                         "chunks: many",
		"line 1: `15`: allowed is a time with its unit, as 15ms":      "longest: 15",
		"chunks 0: allowed is 1 to 1000":                              "chunks: 0",
		"wire.last_retry 1ms: allowed is 200ms to 1m0s":               "wire: {last_retry: 1ms}",
		"weights.high NaN: allowed is 0 to 1e+06":                     "weights: {high: .nan}",
		"longest 2h0m0s: allowed is 1s to 1h0m0s":                     "longest: 2h",
		"priority \"URGENT\": allowed are LOW, MEDIUM, HIGH":          "classes: [{sources: [{kinds: [{deadline: 1s, priority: URGENT}]}]}]",
		"targets[0].link.trace \"x.csv\": allowed is \"cell\"":        "targets: [{name: a, link: {trace: x.csv}}]",
		"targets[0].name \"local\": allowed is a name":                "targets: [{name: local, service: 1s, link: {trace: cell}}]",
		"targets[0].link.up_kbps 0: allowed is 1 to 1e+08":            "targets: [{name: a, service: 1s}]",
		"classes[0].sources[0].model \"x\": allowed is the name of":   "classes: [{name: a, service: 1ms, sources: [{model: x}]}]",
		"classes[0].sources[0].arrivals \"often\": allowed is period": "classes: [{name: a, service: 1ms, sources: [{arrivals: often}]}]",
		"their tasks in 6m40s 3.2e+06: allowed is at most 2000000": "classes: [{name: a, service: 1ms, sources: [{name: s, count: 8, model: frame, arrivals: poisson, " +
			"per_second: 1000, burst: 1, bytes: {most: 10}, kinds: [{deadline: 1s, priority: LOW}]}]}]",
		"goes on after its first document": "name: a\n---\nname: b",
		"larger than 1048576 bytes":        "# " + strings.Repeat("x", 1<<20),
	} {
		_, err := scenario.Read(strings.NewReader(file), nil)
		if assert.Error(t, err, file) && !assert.Contains(t, err.Error(), says) {
			t.Log(file)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(scenario.BenchmarkYAML())
	f.Add("name: x\nclasses: [{name: a}]")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := scenario.Read(strings.NewReader(text), nil)
		if err == nil && s.Validate() != nil {
			t.Error("what was read is not valid")
		}
	})
}
