// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"edgex-offload/offload"
	"edgex-offload/standalone/console"
	"edgex-offload/standalone/report"
	"edgex-offload/standalone/stack"
)

// watchRun starts the stack, shows what it does, and says what it came to.
func watchRun(ctx context.Context, out io.Writer, o upOptions) (err error) {
	began := time.Now()
	o.stack.Progress = func(format string, args ...any) {
		_, _ = fmt.Fprintf(out, "%7.1fs  %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
	}
	s, err := stack.Start(ctx, o.stack)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	o.stack.Progress("ready in %.1f s; logs are in %s", time.Since(began).Seconds(), o.stack.Dir)
	w, err := newWatch(out, s, o)
	if err != nil {
		return err
	}
	runErr := w.follow(ctx, o.length)
	return errors.Join(runErr, w.finish(context.WithoutCancel(ctx), o))
}

// watch gathers a run's records and shows them.
type watch struct {
	out       io.Writer
	stack     *stack.Stack
	view      *console.View
	began     time.Time
	run       *report.Run
	missed    uint64
	last      uint64 // sequence number of the last record
	decisions *os.File
}

func newWatch(out io.Writer, s *stack.Stack, o upOptions) (*watch, error) {
	w := &watch{out: out, stack: s, view: console.New(out, isTerminal(out)), run: report.New(), began: time.Now()}
	if o.decisions == "" {
		return w, nil
	}
	var err error
	w.decisions, err = os.Create(o.decisions)
	if err != nil {
		return nil, fmt.Errorf("decisions: %w", err)
	}
	return w, nil
}

// isTerminal says whether colour is seen by a person; NO_COLOR (no-color.org) turns it off.
func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// follow shows the run until its time is over, the user ends it, or a service ends.
func (w *watch) follow(ctx context.Context, length time.Duration) error {
	ctx, cancel := bounded(ctx, length)
	defer cancel()
	tick := time.NewTicker(console.Pace)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := w.stack.Died(); err != nil {
			return err
		}
		if err := w.take(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// take gets the new records and shows them.
func (w *watch) take(ctx context.Context) error {
	records, missed, err := w.stack.Records(ctx, w.last)
	w.missed += missed
	if len(records) > 0 {
		w.last = records[len(records)-1].Seq
	}
	w.run.Add(records)
	w.view.Tick(time.Since(w.began), w.stack.Link.Now(), records)
	return errors.Join(err, w.write(records))
}

func (w *watch) write(records []offload.Record) error {
	if w.decisions == nil {
		return nil
	}
	encoder := json.NewEncoder(w.decisions)
	for _, r := range records {
		if err := encoder.Encode(r); err != nil {
			return fmt.Errorf("decisions: %w", err)
		}
	}
	return nil
}

// finish lets the tasks under way end, and says what the run came to.
func (w *watch) finish(ctx context.Context, o upOptions) error {
	length := time.Since(w.began)
	errs := []error{w.stack.Drain(ctx), w.take(ctx)}
	status, err := w.stack.Status(ctx)
	errs = append(errs, err)
	if w.decisions != nil {
		errs = append(errs, w.decisions.Close())
	}
	result := w.run.Report(report.Seen{
		Frames: w.stack.Frames(), EventsPublished: w.stack.Events(), PassedOver: status.PassedOver, Duration: length, Profile: o.stack.Link.Name(),
	})
	errs = append(errs, console.Summary(w.out, result), writeReport(o.report, result))
	if w.missed > 0 {
		errs = append(errs, fmt.Errorf("decisions: %d records were gone before they were read", w.missed))
	}
	for _, stage := range result.Missing() {
		errs = append(errs, errors.New("carried nothing: "+stage))
	}
	return errors.Join(errs...)
}

func writeReport(path string, result report.Report) error {
	if path == "" {
		return nil
	}
	body, err := json.MarshalIndent(result, "", "  ")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if err := os.WriteFile(path, append(body, '\n'), 0o644); err != nil { //nolint:gosec // a report is no secret
		return fmt.Errorf("report: %w", err)
	}
	return nil
}
