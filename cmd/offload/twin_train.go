// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"edgex-offload/models/policy"
	"edgex-offload/standalone/emulator"
	"edgex-offload/twin"
	"edgex-offload/twin/train"
)

// trainOptions are the flags of twin train.
type trainOptions struct {
	train.Options
	scenario, traces, to string
	perKind              int
	length               time.Duration
}

func twinTrainCommand() *cobra.Command {
	o := trainOptions{Options: train.DefaultOptions()}
	cmd := &cobra.Command{
		Use:   "train",
		Short: "Train the network of policy dqn on made-up or recorded links",
		Long: `train lets a small network decide in the twin, cell after cell, and moves it towards the
rewards that come of it: deep Q-learning with a double estimator. An episode is a class of
box of the scenario over a link. Without --traces the links are made up, as by "offload
trace generate": each kind of link with several seeds.

After each round the network is tried without exploring on made-up links that it does not
learn from; the best one is kept, and at the end compared with other policies on links that
were used for neither. It is written as ONNX with what it was trained for and how.

The reward of a task in time is --reward-accuracy times the answer's accuracy times w/(w+1),
w the worth of its priority (8, 4, 2, 1); that of another is --reward-miss/(w+1) below zero;
less --reward-latency times the share of the time allowed, --reward-energy per joule and
--reward-cost per unit of money. The same --seed gives the same network.`,
		Example: `  offload twin train --to dqn.onnx
  offload twin train --traces my-links --reward-energy 0.2 --to thrifty.onnx
  offload twin --traces my-links --policies dqn,cost --network dqn.onnx`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runTrain(cmd, o) },
	}
	f, w := cmd.Flags(), &o.Settings.Learning.Reward
	f.StringVar(&o.to, "to", "", "`file` to write the network to")
	f.StringVar(&o.scenario, "scenario", benchmarkName, "`file` of what there is to do, or "+benchmarkName)
	f.StringVar(&o.traces, "traces", "", "`folder` of trace CSV files to learn on, or one file; empty: links are made up")
	f.IntVar(&o.perKind, "links", 6, "links of each kind to learn on, 1 to 100")
	f.DurationVar(&o.length, "length", time.Minute, "how long each made-up link is")
	f.IntVar(&o.Rounds, "rounds", o.Rounds, "points of the learning curve")
	f.IntVar(&o.Episodes, "episodes", o.Episodes, "episodes in each round")
	f.Uint64Var(&o.Seed, "seed", o.Seed, "another gives another network")
	f.IntSliceVar(&o.Hidden, "hidden", o.Hidden, "widths of the hidden layers")
	f.Float64Var(&o.Gamma, "gamma", o.Gamma, "what the next task's reward counts, 0 to 0.99")
	f.Float64Var(&o.Rate, "rate", o.Rate, "learning rate at first; it falls to a twentieth")
	f.Float64Var(&o.ExploreFirst, "explore", o.ExploreFirst, "share of actions drawn at random at first")
	f.Float64Var(&o.ExploreLast, "explore-last", o.ExploreLast, "and at last")
	f.Float64Var(&w.Accuracy, "reward-accuracy", w.Accuracy, "worth of an answer's accuracy")
	f.Float64Var(&w.Miss, "reward-miss", w.Miss, "price of a missed deadline")
	f.Float64Var(&w.Latency, "reward-latency", w.Latency, "price of the time allowed")
	f.Float64Var(&w.Energy, "reward-energy", w.Energy, "price of a joule")
	f.Float64Var(&w.Cost, "reward-cost", w.Cost, "price of a unit of money")
	_ = cmd.MarkFlagRequired("to")
	return cmd
}

func runTrain(cmd *cobra.Command, o trainOptions) error {
	if err := o.prepare(); err != nil {
		return err
	}
	w := &trainProgress{out: cmd.OutOrStdout(), to: cmd.ErrOrStderr()}
	result, err := train.Train(cmd.Context(), o.Options, w)
	if err != nil {
		return err
	}
	w.clear()
	file, err := result.Network.ONNX(policy.Describe(o.Settings.Learning.Reward, o.Gamma, commandLine(cmd)))
	if err != nil {
		return err
	}
	if err := os.WriteFile(o.to, file, 0o644); err != nil { //nolint:gosec // a network is no secret
		return fmt.Errorf("to: %w", err)
	}
	return w.result(&o, result, len(file))
}

// commandLine is the command with the flags that were given; of files the name alone.
func commandLine(cmd *cobra.Command) string {
	words := []string{cmd.CommandPath()}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		value := strings.Trim(f.Value.String(), "[]")
		switch f.Name {
		case "to", "traces", "scenario":
			value = filepath.Base(value)
		}
		words = append(words, "--"+f.Name+" "+value)
	})
	return strings.Join(words, " ")
}

// The first seed of the links of each use: none is in two.
const (
	trainingSeed   = 1
	validationSeed = 1001
	heldOutSeed    = 2001
)

// prepare reads or makes up the links.
func (o *trainOptions) prepare() error {
	if o.perKind < 1 || o.perKind > 100 {
		return fmt.Errorf("links %d: allowed is 1 to 100", o.perKind)
	}
	if o.length < 10*time.Second || o.length > emulator.MaxTrace {
		return fmt.Errorf("length %s: allowed is 10s to %s", o.length, emulator.MaxTrace)
	}
	s, err := readScenario(o.scenario)
	if err != nil {
		return err
	}
	if len(s.Classes) == 0 {
		return errors.New("scenario: it has no class of box")
	}
	o.Scenario = &s
	o.Training = madeUp(trainingSeed, o.perKind, o.length)
	if o.traces != "" {
		if o.Training, err = readTraces(o.traces); err != nil {
			return err
		}
	}
	o.Validation, o.HeldOut = madeUp(validationSeed, 2, o.length), madeUp(heldOutSeed, 3, o.length)
	return nil
}

// madeUp are links of each kind.
func madeUp(seed, perKind int, length time.Duration) []twin.Trace {
	var links []twin.Trace
	for _, p := range emulator.Profiles() {
		for i := range perKind {
			recorded := emulator.Record(p.Start(int64(seed+i)), int(length/emulator.Slot))
			links = append(links, twinTrace(fmt.Sprintf("%s-%d", p.Name, seed+i), recorded))
		}
	}
	return links
}

// trainProgress shows how far a training is and what it came to.
type trainProgress struct {
	out, to io.Writer
	bar     *progress
	heading bool
}

// Step implements train.Watcher.
func (p *trainProgress) Step(_, of int) {
	if p.bar == nil {
		p.bar = newProgress(p.to, of, float64(of))
	}
	p.bar.done(1)
}

// clear takes the bar's line away for another.
func (p *trainProgress) clear() { _, _ = fmt.Fprintf(p.to, "\r%*s\r", 100, "") }

// Round implements train.Watcher.
func (p *trainProgress) Round(r train.Round) {
	p.clear()
	if !p.heading {
		p.heading = true
		_, _ = fmt.Fprintln(p.out, "round  decisions    error    reward   missed  utility")
	}
	mark := ""
	if r.Best {
		mark = "  best"
	}
	_, _ = fmt.Fprintf(p.out, "%5d  %9d  %7.4f  %8.4f  %6.2f%%  %7.4f%s\n", r.Number, r.Decisions, r.Loss, r.Reward, 100*r.Miss, r.Utility, mark)
}

func (p *trainProgress) result(o *trainOptions, r train.Result, bytes int) error {
	_, err := fmt.Fprintf(p.out, "\nwritten to %s, %d bytes. On %d made-up links that were used for nothing else, %d classes each:\n\n", o.to, bytes, len(o.HeldOut), len(o.Scenario.Classes))
	if err != nil {
		return err
	}
	table := newTable(p.out)
	_, _ = fmt.Fprintln(table, "policy\tmissed\tcritical\tutility\tsent\tMB\tjoules\t")
	for _, s := range r.HeldOut {
		_, _ = fmt.Fprintf(table, "%s\t%.2f%%\t%.2f%%\t%.4f\t%.0f%%\t%.1f\t%.0f\t\n", s.Policy, 100*s.Miss, 100*s.MissCritical, s.Utility, 100*s.SentShare, s.SentMB, s.EnergyJ)
	}
	return table.Flush()
}
