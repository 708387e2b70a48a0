// SPDX-License-Identifier: Apache-2.0

package page

// sections are those that there are data for, in their order.
func (r *report) sections() []section {
	var all []section
	if len(r.Cells) > 0 {
		all = append(all, r.cellSections()...)
	}
	if len(r.Pairs) > 0 {
		all = append(all, section{
			"pairs", "Paired differences", "Both policies met the same tasks over the same links, so what differs is the policy. Dots are mean differences over cells, lines their 95% intervals (1.96 standard errors); filled dots have zero outside. Where differences span decades, the axis is logarithmic on both sides of zero.",
			[]variant{{Charts: r.forests(), Tables: []table{r.pairTable()}}},
		})
	}
	if len(r.Latency) > 0 {
		all = append(all, r.perClass("latency", "Latency", "Time from capture to result, in units of each task's deadline. Where a line reaches the deadline is what was in time; what it never reaches is tasks without a result.", func(class string) variant {
			return variant{Charts: []chart{r.latency(class)}, Tables: []table{r.latencyTable(class)}}
		}))
	}
	if r.promised() {
		all = append(all, r.perClass("calibration", "Calibration", "The probability of being in time by which remote attempts were decided, against the share that was, over the attempts of all cells together. On the dashed line a promise is kept; below it, too much was promised. Dots grow with the number of attempts; ECE is the expected calibration error.", func(class string) variant {
			return variant{Charts: []chart{r.reliability(class)}, Tables: []table{r.calibrationTable(class)}}
		}))
	}
	if len(r.Sweeps) > 0 {
		knobs := section{ID: "knobs", Title: "What a knob does", Note: "Means over cells with one setting changed and all others as they are."}
		for _, s := range r.Sweeps {
			knobs.Variants = append(knobs.Variants, variant{Charts: []chart{r.sweep(s)}, Tables: []table{r.sweepTable(s)}})
		}
		all = append(all, knobs)
	}
	return all
}

func (r *report) cellSections() []section {
	return []section{
		r.perClass("glance", "At a glance", "", func(class string) variant {
			return variant{Tables: []table{r.glance(class)}}
		}),
		r.perClass("tradeoff", "What fewer misses cost", "Means over cells with their standard errors; misses on a logarithmic axis. The grey line joins the policies that no other beats in both.", func(class string) variant {
			return variant{Charts: []chart{r.tradeoff(class)}}
		}),
		r.perClass("traces", "Trace by trace", "Traces are sorted by how much is missed on them, the hardest first.", func(class string) variant {
			return variant{Charts: []chart{r.overview(class)}, Heats: []heat{
				r.heat("miss", "m", class, "Missed deadlines, %: darker is worse"),
				r.heat("utility", "u", class, "Utility: darker is better"),
			}}
		}),
	}
}

// perClass has a variant for all classes and for each.
func (r *report) perClass(id, title, note string, of func(class string) variant) section {
	s := section{ID: id, Title: title, Note: note}
	for _, c := range r.choices() {
		v := of(c.class)
		v.choice = c
		s.Variants = append(s.Variants, v)
	}
	return s
}
