// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
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

// showOptions are the flags of trace show.
type showOptions struct {
	from, length time.Duration
	width        int
	png          string
}

func traceShowCommand() *cobra.Command {
	var o showOptions
	cmd := &cobra.Command{
		Use:   "show FILE",
		Short: "Print what a recorded link is like, and draw it over time",
		Long: `show reads a trace, prints its figures and draws round trip, jitter, rates, loss and
outages over time. Round trips, jitter and rates are of the time without outages. A column
covers several slots of 50 ms: it shows the longest round trip, the standard deviation of
round trips (over a second at least), and the mean rate and loss of them.

Jitter has four definitions in use, and tools do not agree which one they mean:
  standard deviation        of all round trips; a few long ones make most of it
  mean absolute difference  of neighbouring round trips (50 ms apart here)
  RFC 3550                  the running J += (|D|-J)/16 that RTP receivers report
  p95 - p50                 how much longer than usual one in twenty takes`,
		Example: `  offload trace show drive.csv
  offload trace show drive.csv --from 2m --for 60s
  offload trace show drive.csv --png drive.png
  offload trace generate --kind lte --for 60s | offload trace show /dev/stdin`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return showTrace(cmd.OutOrStdout(), args[0], o)
		},
	}
	f := cmd.Flags()
	f.DurationVar(&o.from, "from", 0, "begin at this time of the trace")
	f.DurationVar(&o.length, "for", 0, "show this much of it; 0 is all that follows")
	f.IntVar(&o.width, "width", 0, fmt.Sprintf("`columns` to draw in; 0 is the terminal's width, or %d where there is none", defaultWidth))
	f.StringVar(&o.png, "png", "", "draw it as a picture to this `file` as well")
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
	figures := emulator.Trace{Slots: slots}.Figures()
	if o.png != "" {
		if err := writePlot(o.png, plotted{name: filepath.Base(path), slots: slots, from: o.from, figures: figures}); err != nil {
			return fmt.Errorf("png: %w", err)
		}
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s: %s from %s on, of %s\n", filepath.Base(path), lasting(len(slots)), o.from, lasting(len(trace.Slots)))
	writeFigures(&text, figures)
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
