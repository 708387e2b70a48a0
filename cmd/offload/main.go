// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the linker.
var version = "source"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "offload:", err)
		stop()
		os.Exit(1)
	}
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use:   "offload",
		Short: "Run AI on the box, next door or in the cloud, task by task",
		Long: `edgex-offload runs AI on the cameras and sensors of an EdgeX site where it pays at
that moment: on the box or in the cloud, decided task by task from what the network
is doing.`,
		Example: `  offload up                              everything on this machine, until Ctrl-C
  offload up --profile flaky --for 30s    half a minute over a link that comes and goes
  offload submit --address cloud:50051 --model surface part.jpg
  offload explain 7f2c81aa                why a task went where it went (its id is in its outcome)
  offload twin --traces ./traces          what each policy does on links that you recorded
  offload trace show drive.csv            the figures and the course of a recorded link
  offload model check ./models --model faces --image crowd.jpg --out boxes.png
  offload cascade check ./cascades/people.yaml --models ./models --image gate.jpg
  offload help up                         all that up can do`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(upCommand(), submitCommand(), reportCommand(), explainCommand(), twinCommand(), traceCommand(), linkCommand(), modelCommand(), cascadeCommand(), versionCommand())
	for _, cmd := range root.Commands() {
		if cmd.HasSubCommands() && !cmd.Runnable() {
			showsHelp(cmd)
		}
	}
	return root
}

// showsHelp has a command that does nothing itself show its help, and refuse what is no command
// of it: cobra would show the help then too, and end as if all were well.
func showsHelp(cmd *cobra.Command) {
	cmd.Args = func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		var names []string
		for _, sub := range cmd.Commands() {
			names = append(names, sub.Name())
		}
		return fmt.Errorf("unknown command %q for %q: allowed are %s", args[0], cmd.CommandPath(), strings.Join(names, ", "))
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), version)
			return err
		},
	}
}
