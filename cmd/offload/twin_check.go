// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"edgex-offload/offload"
	"edgex-offload/standalone/emulator"
	"edgex-offload/standalone/emulator/tun"
	"edgex-offload/standalone/testbed"
	"edgex-offload/standalone/twincheck"
	"edgex-offload/twin"
)

// twinCheckOptions are the flags of twin check.
type twinCheckOptions struct {
	trace, scenario, policy, level, report, congestion string

	classes []string
	length  time.Duration
	seed    int64
}

// levelAuto is ip where that can be had, else tcp.
const levelAuto = "auto"

func twinCheckCommand() *cobra.Command {
	var o twinCheckOptions
	cmd := &cobra.Command{
		Use:   "check --trace FILE",
		Short: "Compare the twin with the live system on the same tasks and link",
		Long: `check plays the same tasks over the same trace twice: in real time with the real runner,
gRPC client and server over an emulated link, and on the twin's virtual clock. It prints
what came of them, live against twin, and fails where the shares of missed deadlines differ
by more than one point. Both ends run on this machine; as root they go before all else on
it, otherwise it should have little else to do. Wake-ups that were late show whether it had.

Levels (--level):
  ip    IP packets between two network namespaces over a TUN device, with the kernel's TCP;
        it needs the right to make them (root) and /dev/net/tun
  tcp   a TCP proxy with a model of TCP over the link; it runs anywhere
  auto  ip where that can be had, else tcp`,
		Example: `  sudo offload twin check --trace drive.csv
  offload twin check --trace drive.csv --class xavier,nano --for 2m --level tcp --report r.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return checkTwin(cmd, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.trace, "trace", "", "trace CSV `file`")
	f.StringVar(&o.scenario, "scenario", benchmarkName, "`file` of what there is to do, with one target, or "+benchmarkName)
	f.StringSliceVar(&o.classes, "class", []string{"xavier"}, "classes of box, one run after the other")
	f.StringVar(&o.policy, "policy", offload.DefaultSettings().Policy, "policy to play")
	f.DurationVar(&o.length, "for", time.Minute, "how much of the trace, which repeats at its end, 5s to 400s; it takes that long for each class")
	f.Int64Var(&o.seed, "seed", 1, "another gives other tasks")
	f.StringVar(&o.level, "level", levelAuto, "ip, tcp or auto")
	f.StringVar(&o.congestion, "congestion", "", "TCP's congestion `control` at level ip; empty leaves the default of both ends")
	f.StringVar(&o.report, "report", "", "write all of it as JSON to this `file`")
	_ = cmd.MarkFlagRequired("trace")
	return cmd
}

func (o *twinCheckOptions) validate() error {
	var errs []error
	if o.length < 5*time.Second || o.length > 400*time.Second {
		errs = append(errs, fmt.Errorf("for %s: allowed is 5s to 400s", o.length))
	}
	if o.level != levelAuto && o.level != string(twincheck.OverIP) && o.level != string(twincheck.OverTCP) {
		errs = append(errs, fmt.Errorf("level %q: allowed are %s, %s, %s", o.level, levelAuto, twincheck.OverIP, twincheck.OverTCP))
	}
	if o.seed < 0 {
		errs = append(errs, fmt.Errorf("seed %d: allowed is 0 and more", o.seed))
	}
	if len(o.classes) == 0 {
		errs = append(errs, errors.New("class: at least one is needed"))
	}
	return errors.Join(errs...)
}

// cells are one of each class.
func (o *twinCheckOptions) cells(trace emulator.Trace) ([]twin.Cell, error) {
	s := offload.DefaultSettings()
	s.Policy = o.policy
	s.Grace = 0 // a late result scores nothing here
	if err := s.Validate(); err != nil {
		return nil, err
	}
	cut, err := twinTrace(o.trace, trace).Cut(o.length)
	if err != nil {
		return nil, err
	}
	scenario, err := readScenario(o.scenario)
	if err != nil {
		return nil, err
	}
	var cells []twin.Cell
	for _, of := range o.classes {
		class, err := scenario.Class(of)
		if err != nil {
			return nil, err
		}
		cells = append(cells, twin.Cell{Settings: s, Scenario: &scenario, Class: class, Trace: cut, Seed: uint64(o.seed)})
	}
	return cells, nil
}

// chosenLevel is the level to play at; it says where that is not the better one.
func (o *twinCheckOptions) chosenLevel(log io.Writer) (twincheck.Level, error) {
	if o.level == string(twincheck.OverTCP) {
		return twincheck.OverTCP, nil
	}
	err := tun.Available()
	switch {
	case err == nil:
		return twincheck.OverIP, nil
	case o.level == levelAuto:
		_, _ = fmt.Fprintf(log, "level ip cannot be had (%v): run as root with /dev/net/tun there; going on at level tcp, without the kernel's TCP on the link\n", err)
		return twincheck.OverTCP, nil
	}
	return "", fmt.Errorf("level ip: %w; run as root with /dev/net/tun there, or use --level tcp", err)
}

func checkTwin(cmd *cobra.Command, o twinCheckOptions) error {
	if err := o.validate(); err != nil {
		return err
	}
	trace, err := readTrace(o.trace)
	if err != nil {
		return err
	}
	cells, err := o.cells(trace)
	if err != nil {
		return err
	}
	level, err := o.chosenLevel(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	_ = testbed.Hurry() // where it is not allowed, late wake-ups show what that does
	var all []*twincheck.Comparison
	for i, cell := range cells {
		c, err := twincheck.Run(cmd.Context(), twincheck.Options{
			Cell: cell, Trace: trace, Level: level, Seed: o.seed, Congestion: o.congestion,
			Progress: o.progress(cmd.ErrOrStderr(), i),
		})
		_, _ = fmt.Fprintln(cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		all = append(all, c)
	}
	if err := o.save(all); err != nil {
		return err
	}
	return o.print(cmd.OutOrStdout(), level, all)
}

// progress draws a bar over all classes, with what is left of their seconds.
func (o *twinCheckOptions) progress(w io.Writer, class int) func(time.Duration) {
	all := time.Duration(len(o.classes)) * o.length
	return func(left time.Duration) {
		left += time.Duration(len(o.classes)-1-class) * o.length
		_, _ = fmt.Fprintf(w, "\r%s %-18s %4.0f s left ", bar(1-left.Seconds()/all.Seconds(), 40), o.classes[class], left.Seconds())
	}
}

func (o *twinCheckOptions) save(all []*twincheck.Comparison) error {
	if o.report == "" {
		return nil
	}
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if err := os.WriteFile(o.report, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// print writes the table and the verdicts; the error says where the two disagree.
func (o *twinCheckOptions) print(out io.Writer, level twincheck.Level, all []*twincheck.Comparison) error {
	_, _ = fmt.Fprintf(out, "%s, policy %s, %s, seed %d, level %s\n", filepath.Base(o.trace), o.policy, o.length, o.seed, level)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(w, "class\t\ttasks\tmissed\tcritical\tutility\tsent\tMB\tp50 ms\tp95 ms\tp99 ms\t")
	for _, c := range all {
		for _, side := range []struct {
			name string
			twin.Score
		}{{"live", c.Live}, {"twin", c.Twin}} {
			_, _ = fmt.Fprintf(w, "%s\t%s\t%d\t%.2f%%\t%.2f%%\t%.3f\t%.0f%%\t%.1f\t%s\t%s\t%s\t\n", c.Class, side.name, side.Tasks,
				100*side.Miss, 100*side.MissCritical, side.Utility, 100*side.SentShare, side.SentMB,
				latency(side.P50Ms), latency(side.P95Ms), latency(side.P99Ms))
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	var apart []string
	for _, c := range all {
		word := "agree"
		if !c.Agree {
			word, apart = "DISAGREE", append(apart, c.Class)
		}
		_, _ = fmt.Fprintf(out, "%s: %s: live missed %+.2f points against the twin (standard error %.2f); %d tasks live alone, %d the twin alone; %d of %d wake-ups late, the worst by %.1f ms\n",
			c.Class, word, 100*c.Difference, 100*c.StandardError, c.OnlyLive, c.OnlyTwin, c.Wakes.Late, c.Wakes.All, c.Wakes.Worst.Seconds()*1000)
	}
	if len(apart) > 0 {
		return fmt.Errorf("twin check: live and twin differ by more than %.0f point in missed deadlines: %s", 100*twincheck.Tolerance, strings.Join(apart, ", "))
	}
	return nil
}

// latency is a quantile that may have no end.
func latency(ms float64) string {
	if ms < 0 {
		return "never"
	}
	return fmt.Sprintf("%.0f", ms)
}
