// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"math"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"edgex-offload/offload"
	"edgex-offload/twin/fit"
)

// fitOptions are the flags of twin fit.
type fitOptions struct {
	twinOptions
	policy     string
	parameters []string
	budget     int
	leaveOut   int
	seed       uint64
	longest    time.Duration
}

func twinFitCommand() *cobra.Command {
	var o fitOptions
	var objectives, formulas []string
	for _, objective := range fit.Objectives() {
		objectives = append(objectives, objective.Name)
		formulas = append(formulas, fmt.Sprintf("  %-10s%s", objective.Name, objective.Formula))
	}
	cmd := &cobra.Command{
		Use:   "fit --objective NAME --traces DIR",
		Short: "Search the engine's parameters for given links, and tell what they are worth",
		Long: `fit searches the parameters with which a policy does best on some links, and tells what
that is worth on links it has not seen: for each fold it leaves out some of the traces,
searches on the others, and plays what it found on those left out, with other workloads,
beside the settings that it began with. It prints the configuration that it recommends,
which is the one found on all traces only where the folds' were better on the traces left
out by more than two standard errors.

The objectives, each of them to be as small as possible, with U the utility and miss and
missP0 the shares of missed tasks and of missed critical ones:
` + strings.Join(formulas, "\n") + `
Money is ` + fit.MoneyFormula + `.

A search looks at --budget points: half of them are drawn, the rest are steps from the
best, one parameter at a time. It plays budget x (folds + 1) x classes x seeds x traces
cells at most. Parameters: ` + strings.Join(fit.Names(fit.Parameters()), ", ") + `;
those are searched that matter to the policy and the objective.`,
		Example: `  offload twin fit --objective accuracy --traces traces
  offload twin fit --objective cost --traces traces --classes orin --budget 100
  offload twin fit --objective balanced --traces traces --policy cost --leave-out 1 --longest 2m`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runFit(cmd, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.objective, "objective", "balanced", "what is to be small, of "+strings.Join(objectives, ", "))
	f.StringVar(&o.scenario, "scenario", benchmarkName, "`file` of what there is to do, or "+benchmarkName)
	f.StringVar(&o.traces, "traces", "", "`folder` of trace CSV files; empty: those that the scenario names")
	f.StringSliceVar(&o.classes, "classes", nil, "classes of box; empty: all of the scenario")
	f.IntVar(&o.seeds, "seeds", 1, "workloads per class and trace in the search, 1 to 100; as many others judge it")
	f.StringVar(&o.policy, "policy", offload.DefaultSettings().Policy, "policy whose parameters are searched")
	f.StringSliceVar(&o.parameters, "parameters", nil, "search these alone, as `Guard,Tuning.Margin`")
	f.StringArrayVar(&o.set, "set", nil, "begin with another setting, as `Guard=10ms`; may be repeated")
	f.IntVar(&o.budget, "budget", 40, "points that each search looks at, 2 to 10000")
	f.IntVar(&o.leaveOut, "leave-out", 0, "traces that each fold leaves out; 0: a fifth of them")
	f.Uint64Var(&o.seed, "seed", 1, "of the search; the same one finds the same")
	f.DurationVar(&o.longest, "longest", 0, "use no more of each trace than this; 0: as the scenario says")
	f.IntVar(&o.parallel, "parallel", runtime.NumCPU(), "cells at once")
	return cmd
}

func runFit(cmd *cobra.Command, o fitOptions) error {
	plan, err := o.plan()
	if err != nil {
		return err
	}
	bar := newProgress(cmd.ErrOrStderr(), plan.Cells(), plan.Size())
	plan.Done = bar.done
	result, err := fit.Run(cmd.Context(), plan)
	bar.end()
	if err != nil {
		return err
	}
	return printFit(cmd.OutOrStdout(), &plan, result)
}

// begin are the engine's defaults with the weights of the objective and what the flags change.
func (o fitOptions) begin() (offload.Settings, error) {
	objective := o.objective
	o.objective = offload.ObjectiveCustom
	s, err := o.settings()
	if err != nil {
		return s, err
	}
	s.Policy = o.policy
	if s.Weights != offload.DefaultSettings().Weights { // by --set
		return s, nil
	}
	return fit.Begin(s, objective)
}

// plan is all that the flags ask for.
func (o fitOptions) plan() (fit.Plan, error) {
	p := fit.Plan{Seeds: o.seeds, Budget: o.budget, LeaveOut: o.leaveOut, Seed: o.seed, Parallel: o.parallel}
	var err error
	if p.Objective, err = fit.ObjectiveByName(o.objective); err != nil {
		return p, err
	}
	if p.Settings, err = o.begin(); err != nil {
		return p, err
	}
	s, err := readScenario(o.scenario)
	if err != nil {
		return p, err
	}
	if o.longest != 0 {
		s.Longest = o.longest
	}
	if err := s.Validate(); err != nil {
		return p, fmt.Errorf("scenario: %w", err)
	}
	p.Scenario = &s
	if p.Classes, err = o.classesOf(&s); err != nil {
		return p, err
	}
	if p.Traces, err = o.links(&s); err != nil {
		return p, err
	}
	p.Parameters, err = fit.Choose(fit.ParametersFor(o.policy, p.Objective.Name, &s), o.parameters)
	if err != nil {
		return p, err
	}
	return p, p.Validate()
}

func printFit(w io.Writer, p *fit.Plan, r *fit.Result) error {
	_, _ = fmt.Fprintf(w, "%s: %s; less is better\n\n", p.Objective.Name, p.Objective.Formula)
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintf(out, "\tsearched: before\tfound\tdifference\tleft out: before\tfound\tdifference\t\n")
	for i, f := range r.Folds {
		_, _ = fmt.Fprintf(out, "fold %d\t%s\t%s\t  %s\n", i+1, figures(f.Training), figures(f.Unseen), strings.Join(f.LeftOut, ", "))
	}
	_, _ = fmt.Fprintf(out, "mean\t%s\t%s\t\n", figures(r.Training), figures(r.LeftOut))
	_, _ = fmt.Fprintf(out, "all traces\t%s\t\t\t\t\n", figures(r.OnAll))
	if err := out.Flush(); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(w, "  differences are mean ± standard error over the traces\n\n")
	if err := printFound(w, p, r); err != nil {
		return err
	}
	recommended := &p.Settings
	if r.LeftOut.Better() {
		recommended = &r.Settings
	}
	_, err := fmt.Fprintf(w, "\n%s\n\n%s", r.Verdict(), fit.Configuration(recommended, p.Parameters))
	return err
}

func figures(d fit.Difference) string {
	return fmt.Sprintf("%.4f\t%.4f\t%s", d.Before, d.Found, withError(d))
}

func withError(d fit.Difference) string {
	if math.IsNaN(d.SE) {
		return fmt.Sprintf("%+.4f", d.Mean)
	}
	return fmt.Sprintf("%+.4f ± %.4f", d.Mean, d.SE)
}

// printFound shows what each search found: where they differ much, little hangs on it.
func printFound(w io.Writer, p *fit.Plan, r *fit.Result) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprint(out, "\tbefore\ton all traces\t")
	for i := range r.Folds {
		_, _ = fmt.Fprintf(out, "fold %d\t", i+1)
	}
	_, _ = fmt.Fprintln(out)
	for i := range p.Parameters {
		v := &p.Parameters[i]
		_, _ = fmt.Fprintf(out, "%s\t%s\t%s\t", v.Name, v.Text(&p.Settings), v.Text(&r.Settings))
		for k := range r.Folds {
			_, _ = fmt.Fprintf(out, "%s\t", v.Text(&r.Folds[k].Settings))
		}
		_, _ = fmt.Fprintln(out)
	}
	return out.Flush()
}
