// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"edgex-offload/infer/split"
	"edgex-offload/offload"
)

func modelCutsCommand() *cobra.Command {
	var o splitOptions
	var all bool
	cmd := &cobra.Command{
		Use:   "cuts FOLDER",
		Short: "Where a model may be split, and what each cut would send and take",
		Long: `cuts lists the places at which a model can be split into a head on the box and a tail
elsewhere: what goes between (as float32, and quantised to uint8 and packed with zstd),
how much that is of the payload's own bytes, how long either part takes on this machine,
from payload to features and from features to answer, and what the quantisation changes
of the answer. Those that send less than the payload are marked with *.

A later cut costs the box more, so it is of use if it sends less than all before it: the
others are left out. A camera's network rarely has a cut that is smaller than the JPEG
before most of the work is done; one for raw or uncompressed input, and for frames that
must not leave the box, often has.`,
		Example: `  offload model cuts ./models --model surface-large --image part.jpg
  offload model cuts ./models --model vibration-large --input window.f32 --all`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.image == "" && o.input == "" {
				return errors.New("image: what a cut sends depends on what is seen: say --image FILE, or --input FILE for a signal")
			}
			return o.with(cmd, args[0], func(ctx context.Context, out io.Writer, p *split.Plan, task offload.Task) error {
				return o.cuts(ctx, out, p, task, all)
			})
		},
	}
	o.flags(cmd)
	cmd.Flags().BoolVar(&all, "all", false, "list all cuts, also those that send more than one before them")
	return cmd
}

func (o splitOptions) cuts(ctx context.Context, out io.Writer, p *split.Plan, task offload.Task, all bool) error {
	found, err := p.Sizes(ctx, task, p.Cuts())
	if err != nil {
		return err
	}
	sizes := found
	if !all {
		sizes = split.Useful(found)
	}
	if len(sizes) == 0 {
		return fmt.Errorf("%s has no cut: each place in it has more than a few tensors side by side, or its input or an output is still needed there", p.Whole())
	}
	var rows []cutRow
	for i, s := range sizes {
		o.tell("measuring cut %d of %d", i+1, len(sizes))
		row, err := o.cut(ctx, p, task, s)
		if err != nil {
			return fmt.Errorf("cut %d, %s: %w", i+1, strings.Join(s.Tensors, ","), err)
		}
		rows = append(rows, row)
	}
	o.tell("")
	first := rows[0].measured
	line(out, "whole", "median %s of %d runs, of which the graph %s; answer %s", msText(first.Whole), o.runs, msText(first.WholeGraph), answerText(first.Answer))
	line(out, "cuts", "%d of %d are listed", len(rows), len(found))
	return printCuts(out, rows, len(task.Payload))
}

// cutRow is one line of the table.
type cutRow struct {
	split.Size
	measured split.Measured
}

func (o splitOptions) cut(ctx context.Context, p *split.Plan, task offload.Task, s split.Size) (cutRow, error) {
	row := cutRow{Size: s}
	if s.Problem != "" {
		return row, nil
	}
	parts, err := p.Split(ctx, task, s.Tensors, "cut", "1", "uint8")
	if err != nil {
		return row, err
	}
	row.measured, err = p.Measure(ctx, task, parts, o.runs)
	return row, err
}

func printCuts(out io.Writer, rows []cutRow, payload int) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "\nshape\tfloat32\tuint8+zstd\tof payload\thead\ttail\tanswer\tdifference\ttensor")
	smaller := 0
	for _, r := range rows {
		if r.Problem != "" {
			_, _ = fmt.Fprintf(table, "%s\t%d\t-\t-\t-\t-\t-\t-\t%s: %s\n", shapesText(r.Shapes), r.FloatBytes, strings.Join(r.Tensors, ","), r.Problem)
			continue
		}
		mark := ""
		if r.measured.FeatureBytes < payload {
			mark = "*"
			smaller++
		}
		m := r.measured
		_, _ = fmt.Fprintf(table, "%s\t%d\t%d\t%.2f%s\t%s\t%s\t%s\t%.2g\t%s\n", shapesText(r.Shapes), r.FloatBytes, m.FeatureBytes,
			float64(m.FeatureBytes)/float64(payload), mark, msText(m.Head), msText(m.Tail), sameText(m.Same), m.Encoded, strings.Join(r.Tensors, ","))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\n* less than the payload's %d bytes: %d of them. Split at one with: offload model split --at TENSOR[,TENSOR]\n", payload, smaller)
	return err
}

func sameText(same bool) string {
	if same {
		return "same"
	}
	return "other"
}

func answerText(a offload.Answer) string {
	switch {
	case len(a.Objects) > 0:
		return fmt.Sprintf("%d objects, the best %s, confidence %.3f", len(a.Objects), a.Label, a.Confidence)
	case a.Label == "":
		return "none"
	}
	return fmt.Sprintf("%s, confidence %.3f", a.Label, a.Confidence)
}

func shapesText(shapes [][]int64) string {
	texts := make([]string, len(shapes))
	for i, s := range shapes {
		texts[i] = strings.ReplaceAll(strings.Trim(fmt.Sprint(s), "[]"), " ", "x")
	}
	return strings.Join(slices.Clip(texts), "+")
}
