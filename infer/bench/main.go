// SPDX-License-Identifier: Apache-2.0

// Bench measures what inference costs here and prints one table: ratios of two things that took
// turns in the same run, since a busy or slow machine meets both alike. `make bench-infer` runs
// it; docs/inference.md explains the rows.
//
// It fails when something does not run, not when a target is missed: those are marked. What it
// loads has random weights or is shipped in models/; nothing is fetched.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"

	"edgex-offload/infer/ort"
)

// bench is one run of the program.
type bench struct {
	rounds  int
	scratch string // folder for models
	shipped string // folder of the shipped models
	backend *ort.Runtime
	library string
}

// part measures some rows of the table.
type part struct {
	name    string
	measure func(ctx context.Context, b *bench) ([]row, error)
}

func parts() []part {
	return []part{
		{"engine", engine},
		{"picture", pictures},
		{"callers", callers},
		{"int8", integer},
		{"swap", swap},
		{"batch", batch},
		{"protocol", protocol},
		{"split", splitting},
		{"threads", threads},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, progress io.Writer) (err error) {
	var names []string
	for _, p := range parts() {
		names = append(names, p.name)
	}
	b := &bench{}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(progress)
	only := flags.String("only", "", "measure these alone, with commas between: "+strings.Join(names, ", "))
	flags.IntVar(&b.rounds, "rounds", 7, "rounds that the medians are of, 1 to 1000; more of them even out what else the machine does")
	file := flags.String("json", "", "`file` to write the figures into as well, for a program")
	flags.StringVar(&b.shipped, "models", "models", "`folder` of the shipped models")
	flags.StringVar(&b.library, "library", "", "`path` of libonnxruntime.so; empty has it looked for")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if b.rounds < 1 || b.rounds > 1000 {
		return fmt.Errorf("rounds %d: allowed is 1 to 1000", b.rounds)
	}
	wanted := strings.FieldsFunc(*only, func(r rune) bool { return r == ',' })
	for _, name := range wanted {
		if !slices.Contains(names, name) {
			return fmt.Errorf("only %q: allowed are %s", name, strings.Join(names, ", "))
		}
	}
	result, err := b.measure(ctx, wanted, progress)
	if err != nil {
		return err
	}
	if *file != "" {
		if err := writeFile(*file, result); err != nil {
			return err
		}
	}
	return result.print(out)
}

func (b *bench) measure(ctx context.Context, wanted []string, progress io.Writer) (result report, err error) {
	if b.scratch, err = os.MkdirTemp("", "bench-infer"); err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.scratch)) }()
	if b.backend, err = ort.New(ort.Options{Library: b.library}); err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, b.backend.Close()) }()
	result = report{Machine: thisMachine(), Rounds: b.rounds}
	for _, p := range parts() {
		if len(wanted) > 0 && !slices.Contains(wanted, p.name) {
			continue
		}
		_, _ = fmt.Fprintln(progress, "measuring", p.name)
		rows, err := p.measure(ctx, b)
		if err != nil {
			return result, fmt.Errorf("%s: %w", p.name, err)
		}
		for i := range rows {
			rows[i].Part = p.name
		}
		result.Rows = append(result.Rows, judged(rows)...)
	}
	return result, nil
}

func writeFile(path string, result report) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(result.writeJSON(f), f.Close())
}
