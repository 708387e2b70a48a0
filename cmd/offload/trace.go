// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"edgex-offload/standalone/emulator"
)

func traceCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "trace",
		Short: "Record a link, look at a recorded one, or make one up",
		Long: `A trace is CSV with the columns t_ms,rtt_ms,up_kbps,down_kbps,loss and a row for each
50 ms from 0; loss is 0 to 1, and 1 is an outage. "offload up --trace FILE" emulates it,
"offload twin --traces FILE" plays every policy over it.`,
		Example: `  offload trace record --address cloud:50051 --for 10m --to site.csv
  offload trace show site.csv --png site.png
  offload trace generate --kind lte --for 10m --seed 7 --to lte.csv`,
		Args: cobra.NoArgs,
	}
	cmd.AddCommand(traceRecordCommand(), traceShowCommand(), traceGenerateCommand())
	return cmd
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

func rttMs(c emulator.Conditions) float64    { return float64(c.RTT) / float64(time.Millisecond) }
func upMbps(c emulator.Conditions) float64   { return c.UpBps * 8 / 1e6 }
func downMbps(c emulator.Conditions) float64 { return c.DownBps * 8 / 1e6 }
