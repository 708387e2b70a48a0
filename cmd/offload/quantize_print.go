// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"edgex-offload/infer/quantize"
)

// print shows both versions side by side. Its error says why nothing is written.
func (q *quantization) print(c *quantize.Calibrated) error {
	var kept []string
	for _, name := range c.Layers() {
		if !slices.ContainsFunc(q.layers, func(l quantize.LayerError) bool { return l.Layer == name }) {
			kept = append(kept, name)
		}
	}
	if len(kept) > 0 {
		line(q.out, "float32", "%d layers, for accuracy or because they are faster so: %s", len(kept), strings.Join(kept, ", "))
	}
	table := tabwriter.NewWriter(q.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(cells ...any) {
		_, _ = fmt.Fprintf(table, strings.Repeat("%v\t", len(cells))+"\n", cells...)
	}
	_, _ = fmt.Fprintln(q.out)
	float, ints := q.found.Float, q.found.Int
	row("", "float32", "int8", "")
	row("graph, median", msText(middle(float)), msText(middle(ints)), fmt.Sprintf("%.2f x faster", q.found.Speedup()))
	row("p95", msText(late(float)), msText(late(ints)), "")
	row("size", len(q.from.graph), len(q.found.ONNX), fmt.Sprintf("%.2f of it", float64(len(q.found.ONNX))/float64(len(q.from.graph))))
	if q.said.Labelled() {
		row("accuracy", fmt.Sprintf("%.4f", q.said.Accuracy()), fmt.Sprintf("%.4f", q.says.Accuracy()), fmt.Sprintf("%+.2f points", 100*(q.says.Accuracy()-q.said.Accuracy())))
	}
	row("agreement", "1", fmt.Sprintf("%.4f", q.said.Agreement(q.says)), "")
	if err := table.Flush(); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(q.out, "\nlargest errors of a layer's output, against its size, with what all before it add:\n")
	for _, l := range worstOf(q.layers)[:min(worstLayers, len(q.layers))] {
		_, _ = fmt.Fprintf(q.out, "  %6.2f %%  %s\n", 100*l.Error, l.Layer)
	}
	_, _ = fmt.Fprintln(q.out)
	return q.refusal()
}

func worstOf(layers []quantize.LayerError) []quantize.LayerError {
	return slices.SortedStableFunc(slices.Values(layers), func(a, b quantize.LayerError) int { return cmp.Compare(b.Error, a.Error) })
}

func middle(sorted []time.Duration) time.Duration { return sorted[len(sorted)/2] }

// late is the 95th percentile.
func late(sorted []time.Duration) time.Duration { return sorted[len(sorted)*95/100] }
