// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"edgex-offload/offload"
	"edgex-offload/twin"
	"edgex-offload/twin/compare"
)

// twinOptions are the flags of twin.
type twinOptions struct {
	scenario  string
	traces    string
	policies  []string
	classes   []string
	seeds     int
	set       []string
	sweep     []string
	objective string
	report    string
	html      string
	network   string
	parallel  int
}

func twinCommand() *cobra.Command {
	var o twinOptions
	cmd := &cobra.Command{
		Use:   "twin --traces DIR",
		Short: "Play policies over recorded links, on a virtual clock",
		Long: `twin runs the very engine of app-service on a virtual clock: cameras, sensor windows and
bursts on several classes of box, over each link in a folder of traces. Every policy meets
the same tasks, service times and links, so that what differs is the policy.

What there is to do comes from a scenario: the benchmark, or a file that "offload twin
scenario" makes. A trace is CSV with t_ms,rtt_ms,up_kbps,down_kbps,loss on a grid of 50 ms;
the benchmark uses 400 s of it at the most.

Miss is the share of tasks without a result by their deadline; utility weighs the results
in time by priority and accuracy. Each cell (policy, class, trace, seed) counts alike in
the means. Calibration (ECE) is how far the promised probability of being in time is from
what came. Beside the policies there are references:
  known-network      the policy quantile that sees when each answer will be there
  everything-known   a schedule found by search over the recorded tasks; slow
  cost-fifo          the cost model, K = 2, on a first-come-first-served queue
Where the first two are played, each policy's regret is 1 - utility/utility of them.

Settings (--set, --sweep): ` + strings.Join(compare.Keys(), ", ") + `.`,
		Example: `  offload twin --traces traces
  offload twin --traces traces --policies cost,local --classes nano,orin --seeds 3
  offload twin --traces traces --policies cost --set JitterFactor=4 --report r.json
  offload twin --traces traces --policies cost --sweep Weights.Accuracy=0,10,50,200
  offload twin scenario > my.yaml && offload twin --scenario my.yaml --traces traces`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runTwin(cmd, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.scenario, "scenario", benchmarkName, "`file` of what there is to do, or "+benchmarkName)
	f.StringVar(&o.traces, "traces", "", "`folder` of trace CSV files, or one file; empty: those that the scenario names")
	f.StringSliceVar(&o.policies, "policies", offload.Policies(), "policies and references to play, of "+strings.Join(compare.Names(), ", "))
	f.StringSliceVar(&o.classes, "classes", nil, "classes of box; empty: all of the scenario")
	f.IntVar(&o.seeds, "seeds", 1, "workloads per class and trace, 1 to 100")
	f.StringArrayVar(&o.set, "set", nil, "change a setting, as `Guard=10ms`; may be repeated")
	f.StringArrayVar(&o.sweep, "sweep", nil, "play each policy with each value as well, as `JitterFactor=0,2,4`; may be repeated")
	f.StringVar(&o.objective, "objective", "", "what the policies are to be good for, by `name`")
	f.StringVar(&o.report, "report", "", "write every cell, the means and the pairs as JSON to this `file`")
	f.StringVar(&o.html, "html", "", "write a page of pictures to this `file`")
	f.StringVar(&o.network, "network", "", "`file` of the network that policy dqn asks, as \"offload twin train\" writes it; empty: the one that ships")
	f.IntVar(&o.parallel, "parallel", runtime.NumCPU(), "cells at once")
	for old, now := range map[string]string{
		"jitter-factor": "JitterFactor", "accuracy-weight": "Weights.Accuracy", "hedge": "Hedge",
	} {
		f.Var(gone{now}, old, "")
		_ = f.MarkHidden(old)
	}
	f.Lookup("hedge").NoOptDefVal = "true"
	cmd.AddCommand(twinScenarioCommand(), twinFitCommand(), twinCheckCommand(), twinTrainCommand())
	return cmd
}

// gone is a flag that there was: it says what to use.
type gone struct{ key string }

func (gone) String() string { return "" }
func (gone) Type() string   { return "" }

// Set implements pflag.Value.
func (g gone) Set(value string) error {
	return fmt.Errorf("this flag is gone: use --set %s=%s", g.key, value)
}

func runTwin(cmd *cobra.Command, o twinOptions) error {
	g, err := o.grid()
	if err != nil {
		return err
	}
	runs, err := g.Runs()
	if err != nil {
		return err
	}
	page := newTwinPage(o, g, runs)
	bar := progressOf(cmd.ErrOrStderr(), runs)
	scores, err := compare.Play(cmd.Context(), runs, o.parallel, func(r *compare.Run) { bar.done(r.Size()) })
	bar.end()
	if err != nil {
		return err
	}
	report := compare.NewReport(runs, scores)
	if err := writeJSON(o.report, report); err != nil {
		return err
	}
	if err := page.write(report); err != nil {
		return err
	}
	return printTwin(cmd.OutOrStdout(), report)
}

func writeJSON(file string, report *compare.Report) error {
	if file == "" {
		return nil
	}
	text, err := json.MarshalIndent(report, "", "  ")
	if err == nil {
		err = os.WriteFile(file, append(text, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// grid is all that the flags ask for.
func (o twinOptions) grid() (*compare.Grid, error) {
	if o.seeds < 1 || o.seeds > 100 {
		return nil, fmt.Errorf("seeds %d: allowed is 1 to 100", o.seeds)
	}
	if o.parallel < 1 || o.parallel > 1024 {
		return nil, fmt.Errorf("parallel %d: allowed is 1 to 1024", o.parallel)
	}
	scenario, err := readScenario(o.scenario)
	if err != nil {
		return nil, err
	}
	g := &compare.Grid{Scenario: &scenario, Seeds: o.seeds}
	if g.Network, err = readNetwork(o.network); err != nil {
		return nil, err
	}
	if g.Entries, err = o.entries(); err != nil {
		return nil, err
	}
	if g.Classes, err = o.classesOf(&scenario); err != nil {
		return nil, err
	}
	if g.Sweeps, err = o.sweeps(); err != nil {
		return nil, err
	}
	g.Traces, err = o.links(&scenario)
	return g, err
}

func (o twinOptions) entries() ([]compare.Entry, error) {
	settings, err := o.settings()
	if err != nil {
		return nil, err
	}
	if len(o.policies) == 0 {
		return nil, errors.New("policies: at least one is needed")
	}
	var entries []compare.Entry
	for i, name := range o.policies {
		if slices.Contains(o.policies[:i], name) {
			return nil, fmt.Errorf("policies %q: it is there twice", name)
		}
		e, err := compare.NewEntry(name, settings)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// settings are the engine's defaults with what the flags change.
func (o twinOptions) settings() (offload.Settings, error) {
	s := offload.DefaultSettings()
	s.Grace = 0 // a late result scores nothing here
	if o.objective != "" {
		if err := compare.Set(&s, "Objective", o.objective); err != nil {
			return s, fmt.Errorf("objective %q: this engine has none", o.objective)
		}
	}
	for _, pair := range o.set {
		key, value, found := strings.Cut(pair, "=")
		if !found {
			return s, fmt.Errorf("set %q: allowed is KEY=VALUE", pair)
		}
		if err := compare.Set(&s, key, value); err != nil {
			return s, fmt.Errorf("set %w", err)
		}
	}
	if err := s.Validate(); err != nil {
		return s, fmt.Errorf("set %w", err)
	}
	return s, nil
}

func (o twinOptions) classesOf(s *twin.Scenario) ([]twin.Class, error) {
	if len(o.classes) == 0 {
		return s.Classes, nil
	}
	var classes []twin.Class
	for i, name := range o.classes {
		if slices.Contains(o.classes[:i], name) {
			return nil, fmt.Errorf("classes %q: it is there twice", name)
		}
		class, err := s.Class(name)
		if err != nil {
			return nil, err
		}
		classes = append(classes, class)
	}
	return classes, nil
}

func (o twinOptions) sweeps() ([]compare.Sweep, error) {
	var sweeps []compare.Sweep
	for _, text := range o.sweep {
		key, values, found := strings.Cut(text, "=")
		if !found || values == "" {
			return nil, fmt.Errorf("sweep %q: allowed is KEY=VALUE,VALUE and so on", text)
		}
		sweeps = append(sweeps, compare.Sweep{Key: key, Values: strings.Split(values, ",")})
	}
	return sweeps, nil
}
