// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"edgex-offload/standalone/console"
	"edgex-offload/standalone/report"
)

func reportCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "report FILE",
		Short: "Compute the figures of a run again from its decision records",
		Long: `report reads the decision records that "offload up --decisions FILE" wrote, one JSON
object a line, and computes the figures from them. Counts of events on the bus are not
in the records and are 0.`,
		Example: `  offload up --for 30s --decisions run.jsonl
  offload report run.jsonl

  # The tasks behind one figure: answers that were wrong, and why they were decided so
  jq -r 'select(.correct == false) | [.seq, .route, .label, .truth, .why] | @tsv' run.jsonl`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer func() { _ = file.Close() }()
			records, err := report.ReadRecords(file)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if len(records) == 0 {
				return errors.New(args[0] + ": no record")
			}
			first, last := records[0], records[len(records)-1]
			seen := report.Seen{Duration: last.Created.Sub(first.Created), Profile: args[0]}
			return console.Summary(cmd.OutOrStdout(), report.From(records, seen))
		},
	}
}
