// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"

	"github.com/spf13/cobra"

	"edgex-offload/twin/scenario"
)

func twinScenarioCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "scenario",
		Short: "Print the benchmark's scenario to start from",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := io.WriteString(cmd.OutOrStdout(), scenario.BenchmarkYAML())
			return err
		},
	}
}
