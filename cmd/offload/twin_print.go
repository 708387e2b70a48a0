// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"edgex-offload/twin/compare"
)

// printTwin prints the means, how the first entry differs from the others, and the sweeps.
func printTwin(w io.Writer, r *compare.Report) error {
	if err := printMeans(w, r); err != nil {
		return err
	}
	if err := printPairs(w, r); err != nil {
		return err
	}
	return printSweeps(w, r.Sweeps)
}

func newTable(w io.Writer) *tabwriter.Writer {
	return tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
}

func printMeans(w io.Writer, r *compare.Report) error {
	out := newTable(w)
	_, _ = fmt.Fprint(out, "policy\tmissed\tcritical\tfirst 10 s\tutility\tp99 ms\tsent\tMB\tjoules\thedge won\twasted\tECE\tregret: network\teverything\t\n")
	for _, name := range r.Names {
		s := r.Summary[name]
		_, _ = fmt.Fprintf(out, "%s\t%.2f%%\t%.2f%%\t%.2f%%\t%.3f\t%s\t%.0f%%\t%.1f\t%.0f\t%.1f%%\t%.1f%%\t%s\t%s\t%s\t\n", name,
			100*s.Miss, 100*s.MissP0, 100*s.MissFirst10s, s.Utility, figure("%.0f", s.P99Ms, 1),
			100*s.SentShare, s.SentMB, s.EnergyJ, 100*s.HedgeWon, 100*s.HedgeWasted,
			figure("%.3f", s.ECE, 1), figure("%.1f%%", s.RegretKnownNetwork, 100), figure("%.1f%%", s.RegretEverythingKnown, 100))
	}
	for _, name := range r.Names {
		if paid := r.Summary[name].Paid; paid > 0 {
			_, _ = fmt.Fprintf(out, "%s paid %.4g\t\n", name, paid)
		}
	}
	_, _ = fmt.Fprintf(out, "means over %d cells each\t\n", len(r.Cells)/max(1, len(r.Names)))
	return out.Flush()
}

// figure writes one that there may not be.
func figure(format string, v *float64, times float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf(format, times**v)
}

func printPairs(w io.Writer, r *compare.Report) error {
	if len(r.Names) < 2 {
		return nil
	}
	first := r.Names[0]
	out := newTable(w)
	_, _ = fmt.Fprintf(out, "\n%s less\tmissed\tcritical\tutility\tp99 ms\tMB\tjoules\tmisses less in\t\n", first)
	for i := 0; i < len(r.Pairs) && r.Pairs[i].A == first; {
		_, _ = fmt.Fprintf(out, "%s\t", r.Pairs[i].B)
		miss := r.Pairs[i]
		for b := r.Pairs[i].B; i < len(r.Pairs) && r.Pairs[i].A == first && r.Pairs[i].B == b; i++ {
			_, _ = fmt.Fprintf(out, "%s\t", difference(&r.Pairs[i]))
		}
		_, _ = fmt.Fprintf(out, "%d of %d\t\n", miss.Wins, miss.Cells)
	}
	_, _ = fmt.Fprint(out, "mean ± standard error over the cells\t\n")
	return out.Flush()
}

func difference(p *compare.Pair) string {
	times, format := 1., "%+.1f"
	switch p.Metric {
	case "miss", "miss_p0":
		times, format = 100, "%+.2f%%"
	case "utility":
		format = "%+.4f"
	}
	text := figure(format, p.Mean, times)
	if p.SE != nil {
		text += " ± " + figure("%"+format[2:], p.SE, times)
	}
	return text
}

func printSweeps(w io.Writer, sweeps []compare.Swept) error {
	out := newTable(w)
	key := ""
	for i := range sweeps {
		s := &sweeps[i]
		if s.Key != key {
			key = s.Key
			_, _ = fmt.Fprintf(out, "\n%s\tpolicy\tmissed\tcritical\tutility\tMB\tjoules\t\n", key)
		}
		m := &s.Means
		_, _ = fmt.Fprintf(out, "%s\t%s\t%.2f%%\t%.2f%%\t%.3f\t%.1f\t%.0f\t\n", s.Value, s.Policy, 100*m.Miss, 100*m.MissP0, m.Utility, m.SentMB, m.EnergyJ)
	}
	return out.Flush()
}
