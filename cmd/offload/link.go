// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"edgex-offload/twin"
)

func linkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "link",
		Short: "See how well a link is known",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(linkCheckCommand(), linkCostCommand())
	return cmd
}

// linkCheckOptions are the flags of link check.
type linkCheckOptions struct {
	traces, level, report string
	seeds, runs, parallel int
	length                time.Duration
	congestion            string
}

// The levels at which a link is emulated.
const (
	levelVirtual = "virtual"
	levelIP      = "ip"
)

func linkCheckCommand() *cobra.Command {
	var o linkCheckOptions
	cmd := &cobra.Command{
		Use:   "check --traces DIR",
		Short: "Compare what the engine knows and predicts of a link with the truth",
		Long: `check sends tasks over emulated links and compares, all the way, what the engine knows of
each with what the emulator knows: round trip, rate of the uplink, loss, the predicted time
to each answer, and how long it takes until a change of the link is known.

Levels (--level):
  virtual   the engine on a virtual clock, as "offload twin" runs it: all of a trace in a moment
  ip        the real runner, gRPC and TCP between two network namespaces over a TUN device,
            in real time; it needs the right to make them (root)

Columns:
  held95      share of attempts that were done within the predicted 95% bound
  bound       that bound in the mean, ms
  2 sd held   the same of the bound that is usual: mean and two standard deviations of the
  2 sd bound  last 60 round trips, one a second, beside the same queue, transfer and service
  as often    that bound with as many deviations as it takes to hold as often as ours
  ECE         expected calibration error of P(done by the deadline), ten bins
  rtt, up     median relative error against the last second of the trace
  loss        mean difference to the share lost in the last 15 s
  probes      bytes a minute that went into measuring`,
		Example: `  offload link check --traces ../shared/traces
  offload link check --traces ../shared/traces --seeds 5 --report link.json
  sudo offload link check --traces drive.csv --level ip --for 60s`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return checkLinks(cmd, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.traces, "traces", "", "`folder` of trace CSV files, or one file")
	f.StringVar(&o.level, "level", levelVirtual, "virtual or ip")
	f.IntVar(&o.seeds, "seeds", 3, "workloads per trace, 1 to 100")
	f.IntVar(&o.runs, "runs", 20, "repetitions of each change, 0 to 1000; 0 leaves the changes out; at level ip each takes some 40 s")
	f.DurationVar(&o.length, "for", 60*time.Second, "how much of each trace at level ip, 5s to 1h; it is used whole at level virtual")
	f.StringVar(&o.congestion, "congestion", "", "TCP congestion control at level ip; empty is the client's own choice")
	f.StringVar(&o.report, "report", "", "write all figures as JSON to this `file`")
	f.IntVar(&o.parallel, "parallel", runtime.NumCPU(), "traces at once at level virtual")
	_ = cmd.MarkFlagRequired("traces")
	return cmd
}

func (o linkCheckOptions) validate() error {
	var errs []error
	if o.level != levelVirtual && o.level != levelIP {
		errs = append(errs, fmt.Errorf("level %q: allowed are %s, %s", o.level, levelVirtual, levelIP))
	}
	if o.seeds < 1 || o.seeds > 100 {
		errs = append(errs, fmt.Errorf("seeds %d: allowed is 1 to 100", o.seeds))
	}
	if o.runs < 0 || o.runs > 1000 {
		errs = append(errs, fmt.Errorf("runs %d: allowed is 0 to 1000", o.runs))
	}
	if o.parallel < 1 {
		errs = append(errs, fmt.Errorf("parallel %d: allowed is 1 and more", o.parallel))
	}
	if o.length < 5*time.Second || o.length > time.Hour {
		errs = append(errs, fmt.Errorf("for %s: allowed is 5s to 1h", o.length))
	}
	return errors.Join(errs...)
}

// linkReport is all that a check found.
type linkReport struct {
	Level   string            `json:"level"`
	Links   []twin.LinkScore  `json:"links"`
	All     twin.LinkScore    `json:"all"`
	Changes []twin.LinkChange `json:"changes,omitempty"`
}

func checkLinks(cmd *cobra.Command, o linkCheckOptions) error {
	if err := o.validate(); err != nil {
		return err
	}
	check := checkLinksVirtually
	if o.level == levelIP {
		check = checkLinksForReal
	}
	report, err := check(cmd.Context(), cmd.ErrOrStderr(), o)
	if err != nil {
		return err
	}
	if o.report != "" {
		text, err := json.MarshalIndent(report, "", "  ")
		if err != nil {
			return fmt.Errorf("report: %w", err)
		}
		if err := os.WriteFile(o.report, append(text, '\n'), 0o600); err != nil {
			return fmt.Errorf("report: %w", err)
		}
	}
	return report.print(cmd.OutOrStdout())
}

// checkLinksVirtually plays all traces with all seeds on a virtual clock.
func checkLinksVirtually(ctx context.Context, progress io.Writer, o linkCheckOptions) (linkReport, error) {
	traces, err := readTraces(o.traces)
	if err != nil {
		return linkReport{}, err
	}
	tallies := make([]*twin.LinkTally, len(traces)*o.seeds)
	done := make(chan struct{}, len(tallies))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(o.parallel + 1) // and the one that shows how far it is
	group.Go(func() error { return showProgress(ctx, progress, done, len(tallies)) })
	for i := range tallies {
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			tally, err := twin.CheckLink(traces[i/o.seeds], uint64(i%o.seeds+1))
			tallies[i] = tally
			done <- struct{}{}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return linkReport{}, err
	}
	report := linkReport{Level: levelVirtual}
	var all twin.LinkTally
	for i, trace := range traces {
		var of twin.LinkTally
		for _, tally := range tallies[i*o.seeds : (i+1)*o.seeds] {
			of.Merge(tally)
		}
		report.Links = append(report.Links, of.Score(trace.Name))
		all.Merge(&of)
	}
	report.All = all.Score("all")
	if o.runs > 0 {
		report.Changes, err = twin.CheckChanges(o.runs)
	}
	return report, err
}

func (r *linkReport) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(w, "link\tattempts\theld95\tbound\t2 sd held\t2 sd bound\tas often\tECE\trtt\tup\tloss\tprobes\t")
	for _, s := range append(r.Links, r.All) {
		_, _ = fmt.Fprintf(w, "%s\t%d\t%.1f%%\t%.0f\t%.1f%%\t%.0f\t%.0f\t%.3f\t%.0f%%\t%.0f%%\t%.3f\t%.0f\t\n",
			s.Trace, s.Attempts, 100*s.Held95, s.BoundMs, 100*s.PingHeld, s.PingBoundMs, s.PingEqualMs,
			s.ECE, 100*s.RTTError, 100*s.UpError, s.LossError, s.ProbeBytes)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(r.Changes) == 0 {
		return nil
	}
	w = tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(w, "\nchange\ttraffic\truns\tmedian ms\tp90 ms\tnever\t")
	for _, c := range r.Changes {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%d\t%.0f\t%.0f\t%d\t\n", c.Change, c.Traffic, c.Runs, c.MedianMs, c.P90Ms, c.Unknown)
	}
	return w.Flush()
}
