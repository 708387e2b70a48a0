// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"edgex-offload/standalone/emulator"
)

// generateOptions are the flags of trace generate.
type generateOptions struct {
	kind   string
	length time.Duration
	seed   int64
	to     string
}

func traceGenerateCommand() *cobra.Command {
	var o generateOptions
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Make up a link of a kind as a trace",
		Long: `generate draws the course of a link of a kind from a seed: the same seed gives the same
bytes, and the same link as "offload up" with that name for --profile and that --seed.

A link moves between regimes, such as a free and a loaded cell. Within one its signal
fades, slowly and fast; what the signal leaves carries what others want, and what does not
fit waits in a queue, so that round trips are long where rates are low. Stalls and
handovers keep packets waiting, which then come in order; outages lose them.

Kinds (--kind):
` + strings.TrimRight(profileLines(), "\n"),
		Example: `  offload trace generate --kind 5g-drive --for 10m --seed 7 --to drive.csv
  offload up --trace drive.csv
  offload trace generate --kind wifi | offload trace show /dev/stdin`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return generateTrace(cmd.OutOrStdout(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.kind, "kind", "", "`kind` of link: "+strings.Join(profileNames(), ", "))
	f.DurationVar(&o.length, "for", time.Minute, "how much of it")
	f.Int64Var(&o.seed, "seed", 1, "another gives another course of events")
	f.StringVar(&o.to, "to", "", "write to this `file`; empty is the standard output")
	_ = cmd.MarkFlagRequired("kind")
	return cmd
}

func generateTrace(out io.Writer, o generateOptions) (err error) {
	profile, err := emulator.ProfileNamed(o.kind)
	if err != nil {
		return fmt.Errorf("kind %q: allowed are %s", o.kind, strings.Join(profileNames(), ", "))
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
