// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"edgex-offload/offload"
	"edgex-offload/standalone/emulator"
	"edgex-offload/twin"
)

// twinOptions are the flags of twin.
type twinOptions struct {
	traces   string
	policies []string
	classes  []string
	seeds    int
	report   string
	factor   float64
	accuracy float64
	hedge    bool
	parallel int
}

func twinCommand() *cobra.Command {
	defaults := offload.DefaultSettings()
	var o twinOptions
	cmd := &cobra.Command{
		Use:   "twin --traces DIR",
		Short: "Play policies over recorded links, on a virtual clock",
		Long: `twin runs the very engine of app-service on a virtual clock: cameras, sensor windows and
bursts on several classes of box, over each link in a folder of traces. Every policy meets
the same tasks, service times and links, so that what differs is the policy.

A trace is CSV with t_ms,rtt_ms,up_kbps,down_kbps,loss on a grid of 50 ms; it is used for
400 s at the most. Miss is the share of tasks without a result by their deadline; utility
weighs the results in time by priority and accuracy. Each cell (policy, class, trace,
seed) counts alike in the means.`,
		Example: `  offload twin --traces traces
  offload twin --traces traces --policies cost,local --classes nano,orin --seeds 3
  offload twin --traces traces --policies cost --jitter-factor 4 --report r.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runTwin(cmd, o) },
	}
	var classes []string
	for _, c := range twin.Benchmark().Classes {
		classes = append(classes, c.Name)
	}
	f := cmd.Flags()
	f.StringVar(&o.traces, "traces", "", "`folder` of trace CSV files, or one file")
	f.StringSliceVar(&o.policies, "policies", offload.Policies(), "policies to play")
	f.StringSliceVar(&o.classes, "classes", classes, "classes of box")
	f.IntVar(&o.seeds, "seeds", 1, "workloads per class and trace, 1 to 100")
	f.StringVar(&o.report, "report", "", "write every cell and the means as JSON to this `file`")
	f.Float64Var(&o.factor, "jitter-factor", defaults.JitterFactor, "K: how many times the jitter a remote path is lengthened by")
	f.Float64Var(&o.accuracy, "accuracy-weight", defaults.Weights.Accuracy, "milliseconds that a point of accuracy is worth to the policy cost")
	f.BoolVar(&o.hedge, "hedge", defaults.Hedge, "keep a local backup of what was sent")
	f.IntVar(&o.parallel, "parallel", runtime.NumCPU(), "cells at once")
	_ = cmd.MarkFlagRequired("traces")
	cmd.AddCommand(twinCheckCommand())
	return cmd
}

func runTwin(cmd *cobra.Command, o twinOptions) error {
	cells, err := o.cells()
	if err != nil {
		return err
	}
	scores, err := playAll(cmd.Context(), cmd.ErrOrStderr(), cells, o.parallel)
	if err != nil {
		return err
	}
	summary := map[string]twin.Score{}
	for _, policy := range o.policies {
		var of []twin.Score
		for _, s := range scores {
			if s.Policy == policy {
				of = append(of, s)
			}
		}
		summary[policy] = twin.Mean(of)
	}
	if o.report != "" {
		text, err := json.MarshalIndent(map[string]any{"cells": scores, "summary": summary}, "", "  ")
		if err != nil {
			return fmt.Errorf("report: %w", err)
		}
		if err := os.WriteFile(o.report, append(text, '\n'), 0o600); err != nil {
			return fmt.Errorf("report: %w", err)
		}
	}
	return printMeans(cmd.OutOrStdout(), o.policies, summary, len(cells)/len(o.policies))
}

// cells are all combinations that the flags ask for.
func (o twinOptions) cells() ([]twin.Cell, error) {
	if o.seeds < 1 || o.seeds > 100 {
		return nil, fmt.Errorf("seeds %d: allowed is 1 to 100", o.seeds)
	}
	if o.parallel < 1 {
		return nil, fmt.Errorf("parallel %d: allowed is 1 and more", o.parallel)
	}
	if len(o.policies) == 0 || len(o.classes) == 0 {
		return nil, errors.New("policies and classes: at least one of each is needed")
	}
	traces, err := readTraces(o.traces)
	if err != nil {
		return nil, err
	}
	scenario := twin.Benchmark()
	var cells []twin.Cell
	for _, policy := range o.policies {
		s := offload.DefaultSettings()
		s.Policy, s.JitterFactor, s.Weights.Accuracy, s.Hedge = policy, o.factor, o.accuracy, o.hedge
		s.Grace = 0 // a late result scores nothing here
		if err := s.Validate(); err != nil {
			return nil, err
		}
		for _, name := range o.classes {
			class, err := scenario.Class(name)
			if err != nil {
				return nil, err
			}
			for _, trace := range traces {
				for seed := range o.seeds {
					cells = append(cells, twin.Cell{Settings: s, Scenario: &scenario, Class: class, Trace: trace, Seed: uint64(seed + 1)})
				}
			}
		}
	}
	return cells, nil
}

// readTraces reads one trace or a folder of them.
func readTraces(path string) ([]twin.Trace, error) {
	files, err := traceFiles(path)
	if err != nil {
		return nil, err
	}
	var traces []twin.Trace
	for _, file := range files {
		trace, err := readTwinTrace(file)
		if err != nil {
			return nil, fmt.Errorf("traces: %w", err)
		}
		traces = append(traces, trace)
	}
	return traces, nil
}

func readTwinTrace(file string) (twin.Trace, error) {
	recorded, err := readTrace(file)
	if err != nil {
		return twin.Trace{}, err
	}
	return twinTrace(strings.TrimSuffix(filepath.Base(file), ".csv"), recorded), nil
}

// twinTrace is a trace as the twin takes it.
func twinTrace(name string, recorded emulator.Trace) twin.Trace {
	trace := twin.Trace{Name: name}
	for _, c := range recorded.Slots {
		trace.Slots = append(trace.Slots, twin.Slot{RTT: c.RTT, Up: c.UpBps, Down: c.DownBps, Lost: c.Loss >= .5})
	}
	return trace
}

// playAll runs the cells side by side; the scores are in the cells' order.
func playAll(ctx context.Context, w io.Writer, cells []twin.Cell, parallel int) ([]twin.Score, error) {
	scores := make([]twin.Score, len(cells))
	done := make(chan struct{}, len(cells))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel + 1) // and the one that shows how far it is
	group.Go(func() error { return showProgress(ctx, w, done, len(cells)) })
	for i, cell := range cells {
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			score, err := twin.Run(cell)
			scores[i] = score
			done <- struct{}{}
			return err
		})
	}
	return scores, group.Wait()
}

func showProgress(ctx context.Context, w io.Writer, done <-chan struct{}, all int) error {
	started := time.Now()
	const width = 40
	for n := 1; n <= all; n++ {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-done:
		}
		filled := n * width / all
		_, _ = fmt.Fprintf(w, "\r[%s%s] %d of %d cells, %.0f s", strings.Repeat("#", filled), strings.Repeat(".", width-filled), n, all, time.Since(started).Seconds())
	}
	_, _ = fmt.Fprintln(w)
	return nil
}

func printMeans(w io.Writer, policies []string, summary map[string]twin.Score, cells int) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintf(out, "policy\tmissed\tcritical\tfirst 10 s\tutility\tsent\tMB\tjoules\thedge won\twasted\t\n")
	for _, policy := range policies {
		s := summary[policy]
		_, _ = fmt.Fprintf(out, "%s\t%.2f%%\t%.2f%%\t%.2f%%\t%.3f\t%.0f%%\t%.1f\t%.0f\t%.1f%%\t%.1f%%\t\n", policy,
			100*s.Miss, 100*s.MissCritical, 100*s.MissFirst10s, s.Utility, 100*s.SentShare, s.SentMB, s.EnergyJ, 100*s.HedgeWon, 100*s.HedgeWasted)
	}
	_, _ = fmt.Fprintf(out, "means over %d cells each\t\n", cells)
	return out.Flush()
}
