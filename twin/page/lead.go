// SPDX-License-Identifier: Apache-2.0

package page

import (
	"fmt"
	"slices"
	"strings"

	"edgex-offload/twin"
)

// standing is what a policy came to over all its cells.
type standing struct {
	policy
	cells []twin.Score
}

func (s standing) mean(key string) estimate { return over(s.cells, metricOf(key).of) }

// standings are sorted by misses, then utility; those without a known share of misses are
// left out.
func (r *report) standings(references bool) []standing {
	var all []standing
	for _, p := range r.policies {
		s := standing{p, r.cells(p.name, "", "")}
		if p.Reference == references && finite(s.mean("miss").mean) {
			all = append(all, s)
		}
	}
	slices.SortStableFunc(all, func(a, b standing) int {
		for _, by := range []struct{ a, b float64 }{
			{a.mean("miss").mean, b.mean("miss").mean}, {b.mean("utility").mean, a.mean("utility").mean},
		} {
			if by.a != by.b && finite(by.a-by.b) {
				return map[bool]int{true: -1, false: 1}[by.a < by.b]
			}
		}
		return 0
	})
	return all
}

// phrase is a piece of a text; policies stand out.
type phrase struct {
	Text   string
	Strong bool
}

// aside begins and ends a policy's name in what is said; clean leaves none in a name.
const aside = "\x01"

func named(s standing) string { return aside + s.Label + aside }

// lead says in plain words which policy misses least, by how much, and what that costs.
func (r *report) lead() []phrase {
	var phrases []phrase
	for i, text := range strings.Split(strings.Join(r.findings(), " "), aside) {
		phrases = append(phrases, phrase{text, i%2 == 1})
	}
	return phrases
}

func (r *report) findings() []string {
	all := r.standings(false)
	if len(all) == 0 {
		return []string{"No cell has been played: there is nothing to compare."}
	}
	best := all[0]
	miss := best.mean("miss")
	says := []string{fmt.Sprintf("%s misses least: %s of its tasks have no result by their deadline (mean over %s%s).",
		named(best), plusMinus(percent(miss.mean), percent(miss.se)), plural(miss.n, "cell"), orNothing(finite(miss.se), " with its standard error"))}
	if len(all) == 1 {
		says[0] = strings.Replace(says[0], " misses least:", " is the only policy:", 1)
		says = append(says, fmt.Sprintf("It takes %s on the uplink and %s a cell.", costText(best, "sent_mb"), costText(best, "energy_j")))
	} else {
		says = append(says, comparison(best, all[1]), price(best, all[1]))
	}
	if u := mostUseful(all); u.name != best.name {
		says = append(says, fmt.Sprintf("The most utility is that of %s: %s, against %s.", named(u), three(u.mean("utility").mean), three(best.mean("utility").mean)))
	}
	for _, ref := range r.standings(true) {
		says = append(says, fmt.Sprintf("The reference %s, which is no policy that could be run, misses %s.", named(ref), percent(ref.mean("miss").mean)))
	}
	return says
}

func comparison(best, next standing) string {
	d := differences(next.cells, best.cells, metricOf("miss").of)
	switch {
	case d.n == 0:
		return fmt.Sprintf("%s is next with %s, in other cells.", named(next), percent(next.mean("miss").mean))
	case d.mean == 0:
		return fmt.Sprintf("%s misses just as many in the same cells.", named(next))
	}
	digits := 2
	if d.mean < .5e-4 { // would read as none
		digits = 4
	}
	text := fmt.Sprintf("That is %s percentage points less than %s, the next, in the same %s", plusMinus(decimals(100*d.mean, digits), decimals(100*d.se, digits)), named(next), plural(d.n, "cell"))
	switch {
	case !finite(d.se):
		text += "; one cell tells nothing of chance"
	case d.mean < 2*d.se:
		text += ", which is within two standard errors: these cells do not tell the two apart"
	}
	return text + "."
}

// price is what the best takes, and how that compares.
func price(best, next standing) string {
	against := func(key string) string {
		m := metricOf(key)
		d := differences(best.cells, next.cells, m.of)
		switch {
		case d.n == 0 || !finite(d.mean):
			return ""
		case d.mean == 0:
			return "as many " + m.unit
		case d.mean < 0:
			return m.text(-d.mean) + " less"
		}
		return m.text(d.mean) + " more"
	}
	says := fmt.Sprintf("It takes %s on the uplink and %s a cell", costText(best, "sent_mb"), costText(best, "energy_j"))
	mb, joules := against("sent_mb"), against("energy_j")
	if mb != "" && joules != "" {
		says += fmt.Sprintf("; against %s, that is %s and %s", named(next), mb, joules)
	}
	return says + "."
}

func costText(s standing, key string) string { return metricOf(key).text(s.mean(key).mean) }

func mostUseful(all []standing) standing {
	best := all[0]
	for _, s := range all[1:] {
		if s.mean("utility").mean > best.mean("utility").mean {
			best = s
		}
	}
	return best
}
