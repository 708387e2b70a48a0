// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"edgex-offload/standalone/report"
	"edgex-offload/twin/scenario"
)

// scenarioOptions are the flags of twin scenario.
type scenarioOptions struct {
	decisions, trace, out string
}

func twinScenarioCommand() *cobra.Command {
	var o scenarioOptions
	cmd := &cobra.Command{
		Use:   "scenario",
		Short: "Print the benchmark's scenario, or make one from a recording of your own system",
		Long: `scenario prints the benchmark's scenario, with unit and effect at each key, to start from.

With --decisions it makes one from decision records, one JSON object a line, as "offload up
--decisions" writes them and /api/v3/offload/decisions gives them: per source the arrival
process (periodic where the gaps vary by less than half of their mean, else Poisson), payload
sizes, deadlines and priorities; per model the execution times and accuracies in each place.
--trace names the link that "offload trace record" recorded meanwhile. What the records do
not tell is said on the standard error.`,
		Example: `  offload twin scenario > my.yaml
  offload up --for 10m --decisions d.jsonl
  offload twin scenario --decisions d.jsonl --trace site.csv --out site.yaml
  offload twin --scenario site.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return makeScenario(cmd.OutOrStdout(), cmd.ErrOrStderr(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.decisions, "decisions", "", "make it from the decision records in this `file`")
	f.StringVar(&o.trace, "trace", "", "the link to play it over, a CSV `file`")
	f.StringVar(&o.out, "out", "", "write to this `file`; empty is the standard output")
	return cmd
}

func makeScenario(out, notes io.Writer, o scenarioOptions) error {
	text := []byte(scenario.BenchmarkYAML())
	if o.decisions != "" {
		var err error
		if text, err = recordedScenario(notes, o); err != nil {
			return err
		}
	} else if o.trace != "" {
		return errors.New("trace: allowed beside --decisions alone; to play the benchmark over it, use \"offload twin --traces\"")
	}
	if o.out == "" {
		_, err := out.Write(text)
		return err
	}
	if err := os.WriteFile(o.out, text, 0o600); err != nil {
		return fmt.Errorf("out: %w", err)
	}
	return nil
}

func recordedScenario(notes io.Writer, o scenarioOptions) ([]byte, error) {
	file, err := os.Open(o.decisions)
	if err != nil {
		return nil, fmt.Errorf("decisions: %w", err)
	}
	defer func() { _ = file.Close() }()
	records, err := report.ReadRecords(file)
	if err != nil {
		return nil, fmt.Errorf("decisions %s: %w", o.decisions, err)
	}
	s, said, err := scenario.FromRecords(records)
	if err != nil {
		return nil, err
	}
	if o.trace != "" {
		if _, err := readTwinTrace(o.trace); err != nil {
			return nil, fmt.Errorf("trace: %w", err)
		}
		s.Traces = []string{from(o.out, o.trace)}
	}
	for _, note := range said {
		_, _ = fmt.Fprintln(notes, note)
	}
	var text bytes.Buffer
	comments := append([]string{fmt.Sprintf("Made from %d decision records. Of what it does not say:", len(records))}, said...)
	if err := scenario.Write(&text, s, comments...); err != nil {
		return nil, err
	}
	return text.Bytes(), nil
}

// from is how a file that another one names is found from where that lies.
func from(file, named string) string {
	relative, err := filepath.Rel(filepath.Dir(file), named)
	if file == "" || filepath.IsAbs(named) || err != nil {
		return named
	}
	return relative
}
