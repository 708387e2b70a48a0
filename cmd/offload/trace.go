// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"edgex-offload/standalone/emulator"
)

// The widths of a drawn trace in columns.
const (
	leastWidth   = 40
	defaultWidth = 80
	mostWidth    = 400
)

func traceCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "trace",
		Short: "Look at a recorded link, or make one up",
		Long: `A trace is CSV with the columns t_ms,rtt_ms,up_kbps,down_kbps,loss and a row for each
50 ms from 0; loss is 0 to 1, and 1 is an outage. "offload up --trace FILE" emulates it.`,
		Args: cobra.NoArgs,
	}
	cmd.AddCommand(traceShowCommand(), traceGenerateCommand())
	return cmd
}

// showOptions are the flags of trace show.
type showOptions struct {
	from, length time.Duration
	width        int
}

func traceShowCommand() *cobra.Command {
	var o showOptions
	cmd := &cobra.Command{
		Use:   "show FILE",
		Short: "Print what a recorded link is like, and draw it over time",
		Long: `show reads a trace, prints its figures and draws round trip, uplink and outages over
time. Round trips and rates are of the time without outages. A column covers several slots
of 50 ms: it shows the longest round trip and the mean rate of them.`,
		Example: `  offload trace show drive.csv
  offload trace show drive.csv --from 2m --for 60s
  offload trace generate --profile lte --for 60s | offload trace show /dev/stdin`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return showTrace(cmd.OutOrStdout(), args[0], o)
		},
	}
	f := cmd.Flags()
	f.DurationVar(&o.from, "from", 0, "begin at this time of the trace")
	f.DurationVar(&o.length, "for", 0, "show this much of it; 0 is all that follows")
	f.IntVar(&o.width, "width", 0, fmt.Sprintf("`columns` to draw in; 0 is the terminal's width, or %d where there is none", defaultWidth))
	return cmd
}

func showTrace(out io.Writer, path string, o showOptions) error {
	if o.width == 0 {
		o.width = defaultWidth
		if columns := columnsOf(out); columns > 0 {
			o.width = min(max(columns, leastWidth), mostWidth)
		}
	}
	if o.width < leastWidth || o.width > mostWidth {
		return fmt.Errorf("width %d: allowed is 0, or %d to %d", o.width, leastWidth, mostWidth)
	}
	trace, err := readTrace(path)
	if err != nil {
		return err
	}
	slots, err := o.cut(trace.Slots)
	if err != nil {
		return err
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s: %s from %s on, of %s\n", filepath.Base(path), lasting(len(slots)), o.from, lasting(len(trace.Slots)))
	figuresOf(slots).write(&text)
	drawTrace(&text, slots, o.from, o.width)
	_, err = io.WriteString(out, text.String())
	return err
}

// cut leaves the slots that were asked for.
func (o showOptions) cut(slots []emulator.Conditions) ([]emulator.Conditions, error) {
	if first := int(o.from / emulator.Slot); o.from < 0 || first >= len(slots) {
		return nil, fmt.Errorf("from %s: allowed is 0s to before the trace's end at %s", o.from, lasting(len(slots)))
	}
	if o.length != 0 && o.length < emulator.Slot {
		return nil, fmt.Errorf("for %s: allowed is 0, or %s and more", o.length, emulator.Slot)
	}
	slots = slots[o.from/emulator.Slot:]
	if n := int(o.length / emulator.Slot); n > 0 && n < len(slots) {
		slots = slots[:n]
	}
	return slots, nil
}

func readTrace(path string) (emulator.Trace, error) {
	file, err := os.Open(path)
	if err != nil {
		return emulator.Trace{}, err
	}
	defer func() { _ = file.Close() }()
	trace, err := emulator.ReadTrace(file)
	if err != nil {
		return emulator.Trace{}, fmt.Errorf("%s: %w", path, err)
	}
	return trace, nil
}

// lasting is how long so many slots take.
func lasting(slots int) time.Duration { return time.Duration(slots) * emulator.Slot }

// generateOptions are the flags of trace generate.
type generateOptions struct {
	profile string
	length  time.Duration
	seed    int64
	to      string
}

func traceGenerateCommand() *cobra.Command {
	var o generateOptions
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Write a course of a built-in link as a trace",
		Long: `generate writes what a built-in link does with a seed, as "offload up" runs it with the
same --profile and --seed, so that it can be looked at, changed, and used with --trace.

Links (--profile):
` + strings.TrimRight(profileLines(), "\n"),
		Example: `  offload trace generate --profile 5g-drive --for 10m --seed 7 --to drive.csv
  offload up --trace drive.csv`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return generateTrace(cmd.OutOrStdout(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.profile, "profile", "wifi", "`name` of the link: "+strings.Join(profileNames(), ", "))
	f.DurationVar(&o.length, "for", time.Minute, "how much of it")
	f.Int64Var(&o.seed, "seed", 1, "another gives another course of events")
	f.StringVar(&o.to, "to", "", "write to this `file`; empty is the standard output")
	return cmd
}

func generateTrace(out io.Writer, o generateOptions) (err error) {
	profile, err := emulator.ProfileNamed(o.profile)
	if err != nil {
		return err
	}
	if o.length < emulator.Slot || o.length > emulator.MaxTrace {
		return fmt.Errorf("for %s: allowed is %s to %s", o.length, emulator.Slot, emulator.MaxTrace)
	}
	trace := emulator.Record(profile.Start(o.seed), int(o.length/emulator.Slot))
	if o.to == "" {
		return trace.Write(out)
	}
	file, err := os.Create(o.to)
	if err != nil {
		return fmt.Errorf("to: %w", err)
	}
	if err := trace.Write(file); err != nil {
		_ = file.Close() // the first error says why
		return fmt.Errorf("to: %w", err)
	}
	return file.Close()
}
