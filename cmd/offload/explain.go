// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"edgex-offload/offload"
	"edgex-offload/standalone/report"
)

const (
	// mostExplained bounds the records of one task that are told, maxExplainBytes what is read
	// of an answer, explainPatience how long it is waited for.
	mostExplained   = 16
	maxExplainBytes = 8 << 20
	explainPatience = 10 * time.Second
)

// explainOptions are the flags of explain.
type explainOptions struct {
	app       string
	decisions string
	json      bool
}

func explainCommand() *cobra.Command {
	var o explainOptions
	cmd := &cobra.Command{
		Use:   "explain TASK",
		Short: "Tell in plain words why a task went where it went, and what came of it",
		Long: `explain asks a running app-service for the decision records of a task, or reads them from
a file, and tells each, the newest first: what was asked, what was known, what each path
promised, what settled it, when the backup was to start and why, and whether what happened
was what was promised.

TASK is the task's id, as in the reading TaskId of its outcome, in taskId of a record.`,
		Example: `  offload explain 7f2c81aa-4a0e-4a50-9d0e-0b4d8a4f4f44
  offload explain --app http://box-7:59740 7f2c81aa-4a0e-4a50-9d0e-0b4d8a4f4f44
  offload up --for 30s --decisions run.jsonl
  offload explain --decisions run.jsonl $(jq -r 'select(.deadlineMet == false) | .taskId' run.jsonl | head -1)`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			records, err := o.find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return explain(cmd.OutOrStdout(), records, o.json)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.app, "app", "http://localhost:59740", "`URL` of the app service")
	f.StringVar(&o.decisions, "decisions", "", "read the records from this `file` instead, one JSON object a line")
	f.BoolVar(&o.json, "json", false, "print the records themselves")
	cmd.MarkFlagsMutuallyExclusive("app", "decisions")
	return cmd
}

func (o explainOptions) find(ctx context.Context, task string) ([]offload.Record, error) {
	if o.decisions != "" {
		return findInFile(o.decisions, task)
	}
	ctx, cancel := context.WithTimeout(ctx, explainPatience)
	defer cancel()
	return askForTask(ctx, o.app, task)
}

func findInFile(path, task string) ([]offload.Record, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	all, err := report.ReadRecords(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var found []offload.Record
	for i := len(all) - 1; i >= 0 && len(found) < mostExplained; i-- {
		if all[i].TaskID == task {
			found = append(found, all[i])
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("task %q: none of the %d records in %s is of it", task, len(all), path)
	}
	return found, nil
}

// askForTask asks an app service for the records of a task.
func askForTask(ctx context.Context, app, task string) ([]offload.Record, error) {
	base, err := url.Parse(app)
	if err != nil || (base.Scheme != "http" && base.Scheme != "https") || base.Host == "" {
		return nil, fmt.Errorf("app %q: allowed is a URL, as in http://localhost:59740", app)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(app, "/")+"/api/v3/offload/decisions/"+url.PathEscape(task), nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		Message   string `json:"message"`
		Decisions []struct {
			Record offload.Record `json:"record"`
		} `json:"decisions"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxExplainBytes)).Decode(&answer); err != nil {
		return nil, fmt.Errorf("%s: %s: not an answer of the app service: %w", app, response.Status, err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(printed(answer.Message))
	}
	var records []offload.Record
	for i := range answer.Decisions {
		records = append(records, answer.Decisions[i].Record)
	}
	return records, nil
}

func explain(out io.Writer, records []offload.Record, asJSON bool) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	for i := range records {
		if asJSON {
			if err := encoder.Encode(records[i]); err != nil {
				return err
			}
			continue
		}
		if i > 0 {
			_, _ = fmt.Fprintln(out)
		}
		if _, err := io.WriteString(out, printed(offload.Explain(&records[i]))); err != nil {
			return err
		}
	}
	return nil
}

// printed is a text without what would move a terminal's cursor: names come from elsewhere.
func printed(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
}
