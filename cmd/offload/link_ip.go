// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"edgex-offload/standalone/emulator/tun"
	"edgex-offload/standalone/linkcheck"
	"edgex-offload/twin"
)

// checkLinksForReal plays the traces one after the other over real packets.
func checkLinksForReal(ctx context.Context, progress io.Writer, o linkCheckOptions) (linkReport, error) {
	if err := tun.Available(); err != nil {
		return linkReport{}, fmt.Errorf("level ip: %w", err)
	}
	files, err := traceFiles(o.traces)
	if err != nil {
		return linkReport{}, err
	}
	report := linkReport{Level: levelIP}
	var all twin.LinkTally
	for i, file := range files {
		trace, err := readTrace(file)
		if err != nil {
			return linkReport{}, err
		}
		name := strings.TrimSuffix(filepath.Base(file), ".csv")
		var of twin.LinkTally
		for seed := range o.seeds {
			tally, _, err := linkcheck.Run(ctx, linkcheck.Options{
				Trace: trace, Name: name, For: o.length, Seed: int64(seed + 1), CongestionControl: o.congestion,
				Progress: func(l linkcheck.Look) {
					_, _ = fmt.Fprintf(progress, "\r%-40s run %d of %d, %3.0f of %.0f s ",
						name, i*o.seeds+seed+1, len(files)*o.seeds, l.At.Seconds(), o.length.Seconds())
				},
			})
			if err != nil {
				return linkReport{}, fmt.Errorf("%s: %w", name, err)
			}
			of.Merge(tally)
		}
		report.Links = append(report.Links, of.Score(name))
		all.Merge(&of)
	}
	_, _ = fmt.Fprintln(progress)
	report.All = all.Score("all")
	if o.runs == 0 {
		return report, nil
	}
	n := 0
	report.Changes, err = linkcheck.Changes(ctx, linkcheck.ChangesOptions{
		Repetitions: o.runs, CongestionControl: o.congestion,
		Progress: func(change string, traffic linkcheck.Traffic, _ time.Duration, _ bool) {
			n++
			_, _ = fmt.Fprintf(progress, "\rchange %d: %-20s %-10s", n, change, traffic)
		},
	})
	_, _ = fmt.Fprintln(progress)
	return report, err
}

func linkCostCommand() *cobra.Command {
	o := linkcheck.IdleOptions{}
	cmd := &cobra.Command{
		Use:   "cost",
		Short: "Measure what measuring a link costs, in bytes on the wire",
		Long: `cost runs the real runner, gRPC and TCP between two network namespaces over a TUN device
and counts the IP packets that go over it: with nothing to do, while tasks are decided and
run on the box, while every task is sent and answered, and on a metered link. It needs the
right to make namespaces (root), and takes four times --for.`,
		Example: `  sudo offload link cost --for 60s`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.For < 5*time.Second || o.For > time.Hour {
				return fmt.Errorf("for %s: allowed is 5s to 1h", o.For)
			}
			if err := tun.Available(); err != nil {
				return fmt.Errorf("link cost: %w", err)
			}
			costs, err := linkcheck.Idle(cmd.Context(), o)
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', tabwriter.AlignRight)
			_, _ = fmt.Fprintln(w, "traffic\ttasks\tprobes\tprobe bytes/min\tIP bytes/min\t")
			for _, c := range costs {
				_, _ = fmt.Fprintf(w, "%s\t%d\t%d\t%.0f\t%.0f\t\n", c.Traffic, c.Tasks, c.Probes, c.ProbeBytes, c.WireBytes)
			}
			return w.Flush()
		},
	}
	cmd.Flags().DurationVar(&o.For, "for", 30*time.Second, "how long each kind of traffic is measured, 5s to 1h")
	cmd.Flags().Int64Var(&o.Seed, "seed", 1, "another gives other tasks")
	return cmd
}

// traceFiles are the trace files of a folder, or the one file.
func traceFiles(path string) ([]string, error) {
	files := []string{path}
	if info, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	} else if info.IsDir() {
		files, _ = filepath.Glob(filepath.Join(path, "*.csv"))
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("traces %q: no .csv file in it", path)
	}
	return files, nil
}
