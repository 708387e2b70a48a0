// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"edgex-offload/infer"
)

// maxListBytes bounds a service's answer.
const maxListBytes = 16 << 20

func modelListCommand() *cobra.Command {
	var url string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Show the models of a running service, each version with its state",
		Example: `  offload model list                                                   # of the app-service on this machine
  offload model list --url http://cloud:50052/models                   # of a cloud-service`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return listModels(cmd.Context(), cmd.OutOrStdout(), url)
		},
	}
	cmd.Flags().StringVar(&url, "url", "http://localhost:59740/api/v3/offload/models", "`address` of the service's list of models")
	return cmd
}

func listModels(ctx context.Context, out io.Writer, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	models, err := askForModels(ctx, url)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "MODEL\tSERVES\tSTATE\tACCURACY\tP50 ms\tP95 ms\tANSWERS\tERRORS\tREASON")
	for _, m := range models {
		reason := m.Error
		if t := m.Trial; t != nil {
			reason = fmt.Sprintf("%d of %d tasks, %d failed; beside %s", t.Tasks, t.Wanted, t.Errors, t.Beside)
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%.3g\t%.3g\t%.3g\t%d\t%d\t%s\n",
			m.Variant(), m.Serves, m.State, m.Accuracy, m.P50Ms, m.P95Ms, m.Answers, m.Errors, printed(reason))
	}
	return table.Flush()
}

func askForModels(ctx context.Context, url string) ([]infer.Status, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("url: %w: is the service running? --url says where its list is", err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		Message string         `json:"message"`
		Models  []infer.Status `json:"models"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxListBytes)).Decode(&answer); err != nil {
		return nil, fmt.Errorf("%s: %s: not a list of models: %w", url, response.Status, err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s: %s", url, response.Status, printed(answer.Message))
	}
	return answer.Models, nil
}
