// SPDX-License-Identifier: Apache-2.0

package page

import (
	"slices"
	"strconv"

	"edgex-offload/twin"
)

// maxCells are shown of those given, so that the page stays small.
const maxCells = 5000

// table is plain: a head, and rows that begin with a policy or a name.
type table struct {
	Caption string
	Head    []string
	Rows    []tableRow
}

type tableRow struct {
	Policy *policy
	Name   string // where there is no policy
	Cells  []tableCell
}

// tableCell has its standard error, where there is one, under it.
type tableCell struct {
	Text, Under string
	Best        bool
}

func estimated(m metric, e estimate) tableCell {
	c := tableCell{Text: m.bare(e.mean)}
	if se := m.bare(e.se); se != unknown {
		c.Under = "± " + se
	}
	return c
}

func (r *tableRow) add(texts ...string) {
	for _, text := range texts {
		r.Cells = append(r.Cells, tableCell{Text: text})
	}
}

// glance has the means of each policy with their standard errors.
func (r *report) glance(class string) table {
	t := table{Caption: "Means over cells ± standard error; the best of each column is bold, references aside", Head: []string{"policy"}}
	for _, p := range r.policies {
		if len(r.cells(p.name, class, "")) > 0 {
			t.Rows = append(t.Rows, tableRow{Policy: &p})
		}
	}
	for column, m := range glanced() {
		t.Head = append(t.Head, m.head())
		best := []int{}
		var record float64
		for i := range t.Rows {
			row := &t.Rows[i]
			e := over(r.cells(row.Policy.name, class, ""), m.of)
			row.Cells = append(row.Cells, estimated(m, e))
			worth := e.mean * float64(m.better)
			switch {
			case row.Policy.Reference || !finite(e.mean) || m.better == 0:
			case len(best) == 0 || worth > record:
				best, record = []int{i}, worth
			case worth == record:
				best = append(best, i)
			}
		}
		for _, i := range best {
			t.Rows[i].Cells[column].Best = true
		}
	}
	if class == "" {
		r.regrets(&t)
	}
	return t
}

// regrets adds a column per reference.
func (r *report) regrets(t *table) {
	var against []string
	for _, g := range r.Regrets {
		if !slices.Contains(against, g.Against) {
			against = append(against, g.Against)
		}
	}
	for _, reference := range against {
		t.Head = append(t.Head, "regret, %, against "+clip(clean(reference), longestLabel))
		for i := range t.Rows {
			text := unknown
			for _, g := range r.Regrets {
				if g.Policy == t.Rows[i].Policy.name && g.Against == reference {
					text = decimals(100*g.Regret, 2)
				}
			}
			t.Rows[i].add(text)
		}
	}
}

// cellTable is every cell, to be sorted.
func (r *report) cellTable() table {
	t := table{Head: []string{"policy", "class", "trace", "seed", "tasks"}}
	for _, m := range append(metrics(), quantiles()...) {
		t.Head = append(t.Head, m.head())
	}
	by := map[string]*policy{}
	for i := range r.policies {
		by[r.policies[i].name] = &r.policies[i]
	}
	for _, c := range r.Cells[:min(len(r.Cells), maxCells)] {
		row := tableRow{Policy: by[c.Policy]}
		row.add(cellTexts(c)...)
		t.Rows = append(t.Rows, row)
	}
	return t
}

func cellTexts(c twin.Score) []string {
	texts := []string{clean(c.Class), clean(c.Trace), strconv.FormatUint(c.Seed, 10), strconv.Itoa(c.Tasks)}
	for _, m := range metrics() {
		texts = append(texts, m.bare(m.of(c)))
	}
	for _, m := range quantiles() {
		texts = append(texts, milliseconds(m.of(c)))
	}
	return texts
}
