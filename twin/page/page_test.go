// SPDX-License-Identifier: Apache-2.0

package page

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	xhtml "golang.org/x/net/html"

	"edgex-offload/twin"
)

func written(t *testing.T, d Data) string {
	t.Helper()
	var text bytes.Buffer
	require.NoError(t, Write(&text, d))
	_, err := xhtml.Parse(bytes.NewReader(text.Bytes()))
	require.NoError(t, err)
	return text.String()
}

// whole has something for every section: policies a, b and the reference best.
func whole() Data {
	d := Data{Title: "A title", Scenario: "a scenario", References: []string{"best"}}
	for i, policy := range []string{"best", "a", "b"} {
		for _, class := range []string{"small", "large"} {
			for _, trace := range []string{"lte", "wifi"} {
				d.Cells = append(d.Cells, score(policy, class, trace, i))
			}
			l := Latency{Policy: policy, Class: class}
			for task := range 100 {
				l.Add(time.Duration(task+1)*time.Millisecond, 90*time.Millisecond)
			}
			d.Latency = append(d.Latency, l)
		}
		for _, value := range []string{"0", "2"} {
			d.Sweeps = append(d.Sweeps[:0], Sweep{Key: "JitterFactor", Points: append(points(d.Sweeps), SweepPoint{Value: value, Policy: policy, Miss: .1, Utility: .7})})
		}
	}
	d.Regrets = []Regret{{Policy: "a", Against: "best", Regret: .05}}
	d.Pairs = []Pair{{A: "a", B: "b", Metric: "miss", Mean: -.01, SE: .001, Wins: 4, Cells: 4}, {A: "a", B: "b", Metric: "utility", Mean: .02, SE: math.NaN(), Cells: 1}}
	d.Timelines = []Timeline{timeline(500)}
	return d
}

func points(s []Sweep) []SweepPoint {
	if len(s) == 0 {
		return nil
	}
	return s[0].Points
}

func score(policy, class, trace string, i int) twin.Score {
	s := twin.Score{
		Policy: policy, Class: class, Trace: trace, Seed: 1, Tasks: 1000, Miss: .01 * float64(i+len(trace)), MissCritical: .02,
		Utility: .8 - .01*float64(i), SentMB: 10 + float64(i), EnergyJ: 100, P50Ms: 20, P95Ms: 90, P99Ms: -1, P999Ms: -1, ECE: .1, Brier: .2,
	}
	for n := range 50 {
		s.Calibration.Add(float64(n)/50, n%3 > 0)
	}
	return s
}

func timeline(tasks int) Timeline {
	t := Timeline{Policy: "a", Class: "small", Trace: "lte", Seed: 1}
	for i := range tasks {
		at := time.Duration(i) * 20 * time.Millisecond
		t.Link = append(t.Link, LinkPoint{At: at, RTT: 20 * time.Millisecond, Up: 1e6, Lost: i%50 == 0})
		d := Decision{At: at, Route: Route(i % 3), InTime: true, Priority: i % 4, Latency: 10 * time.Millisecond, Deadline: 50 * time.Millisecond}
		if i%10 == 0 {
			d.Route, d.InTime, d.Latency = Dropped, false, -1
		}
		t.Decisions = append(t.Decisions, d)
	}
	return t
}

// shown is the page without its own style and script.
func shown(text string) string {
	return regexp.MustCompile(`(?s)<(style|script)>.*?</(style|script)>`).ReplaceAllString(text, "")
}

// has looks for a text in a page, and does not print all of it when it is not there.
func has(t *testing.T, text, part string) {
	t.Helper()
	assert.True(t, strings.Contains(text, part), "the page does not have %q", part)
}

// headings are the ids of the sections, in order.
func headings(text string) (ids []string) {
	for _, found := range regexp.MustCompile(`<section id="(\w+)">`).FindAllStringSubmatch(text, -1) {
		ids = append(ids, found[1])
	}
	return ids
}

func TestPageHasASectionForWhatThereIs(t *testing.T) {
	one := Data{Title: "One", Cells: []twin.Score{score("a", "small", "lte", 1)}}
	for name, c := range map[string]struct {
		data Data
		has  []string
		says string
	}{
		"all":         {whole(), []string{"glance", "tradeoff", "traces", "pairs", "latency", "calibration", "knobs", "timelines", "cells"}, "misses least"},
		"one cell":    {one, []string{"glance", "tradeoff", "traces", "calibration", "cells"}, "is the only policy"},
		"nothing":     {Data{}, nil, "there is nothing to compare"},
		"no cells":    {Data{Latency: whole().Latency, Timelines: []Timeline{{}}}, []string{"latency", "timelines"}, "there is nothing to compare"},
		"no attempts": {Data{Cells: []twin.Score{{Policy: "local", Class: "nano", Trace: "lte", ECE: twin.None}}}, []string{"glance", "tradeoff", "traces", "cells"}, "is the only policy"},
	} {
		t.Run(name, func(t *testing.T) {
			text := written(t, c.data)
			assert.Equal(t, c.has, headings(text))
			has(t, text, c.says)
			for _, never := range []string{"NaN", "Inf", "ZgotmplZ"} {
				assert.False(t, strings.Contains(shown(text), never), never)
			}
		})
	}
}

func TestPageStructure(t *testing.T) {
	text := written(t, whole())
	for what, want := range map[string]int{
		`<svg viewBox="0 0 1160`: 3*4 + 1 + 1, // trade-off, traces, latency and calibration per choice of class; pairs; a knob
		`class="heat"`:           3 * 2,
		`data-policy=`:           3,
		`name="class"`:           3,
		`<h1>`:                   1,
		`<script`:                1, // the timelines' data
	} {
		assert.Equal(t, want, strings.Count(shown(text), what), what)
	}
	has(t, text, "best <small>reference</small>")
	has(t, text, "regret, %, against best")
}

// The page must be complete in itself: it names no address at all.
func TestPageReachesForNothing(t *testing.T) {
	text := written(t, whole())
	root, err := xhtml.Parse(strings.NewReader(text))
	require.NoError(t, err)
	for n := range root.Descendants() {
		for _, a := range n.Attr {
			assert.NotContains(t, []string{"src", "style", "srcset", "action", "data"}, a.Key, n.Data)
			assert.False(t, strings.HasPrefix(a.Key, "on"), a.Key)
			if a.Key == "href" {
				assert.True(t, strings.HasPrefix(a.Val, "#"), a.Val)
			}
		}
	}
	assert.False(t, strings.Contains(text, "url("))
	assert.False(t, strings.Contains(strings.ReplaceAll(text, "http://www.w3.org/2000/svg", ""), "://"), "an address beside that of the namespace")
}

// A browser runs what the policy names by its hash, so the hashes must be those of what is there.
func TestPolicyNamesTheStyleAndTheScript(t *testing.T) {
	text := written(t, whole())
	guard := html.UnescapeString(regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(text)[1])
	assert.True(t, strings.HasPrefix(guard, "default-src 'none'; "), guard)
	for _, tag := range []string{"style", "script"} {
		inside := regexp.MustCompile(`(?s)<`+tag+`>(.*?)</`+tag+`>`).FindAllStringSubmatch(text, -1)
		require.Len(t, inside, 1)
		assert.Contains(t, guard, tag+"-src '"+hash(inside[0][1])+"'")
	}
	assert.NotContains(t, guard, "unsafe")
}

func TestSameDataGiveTheSameBytes(t *testing.T) {
	assert.Equal(t, written(t, whole()), written(t, whole()))
}

func TestNamesFromOutsideAreEscaped(t *testing.T) {
	for _, name := range []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</title><svg onload=alert(1)>`, `</script><b>`, `'"&<>`, `{{.Title}}`, `<!--`, "a\x00b\u202eevil\nline", "\xff\xfe", strings.Repeat("long", 5000), "",
	} {
		d := Data{Title: name, Scenario: name, References: []string{name + "r"}}
		for _, policy := range []string{name, name + "r", "plain"} {
			d.Cells = append(d.Cells, score(policy, name, name, 1), score(policy, name+"2", name+"2", 2))
			d.Latency = append(d.Latency, Latency{Policy: policy, Class: name, NoResult: 1})
		}
		d.Pairs = []Pair{{A: name, B: "plain", Metric: name, Mean: 1, SE: 1, Cells: 2}}
		d.Regrets = []Regret{{Policy: name, Against: name, Regret: .1}}
		d.Sweeps = []Sweep{{Key: name, Points: []SweepPoint{{Value: name, Policy: name}, {Value: "1", Policy: name}}}}
		run := timeline(10)
		run.Policy, run.Class, run.Trace = name, name, name
		d.Timelines = []Timeline{run}
		text := written(t, d)
		root, err := xhtml.Parse(strings.NewReader(text))
		require.NoError(t, err)
		scripts := 0
		for n := range root.Descendants() {
			switch n.Data {
			case "script":
				scripts++
			case "img", "b":
				assert.NotNil(t, n.Parent)
				assert.Empty(t, n.Attr, name)
			}
			for _, a := range n.Attr {
				assert.False(t, strings.HasPrefix(a.Key, "on"), "%q: %s", name, a.Key)
			}
		}
		assert.Equal(t, 2, scripts, name)
		assert.False(t, strings.ContainsAny(text, "\u202e\x00"))
		assert.Less(t, len(text), 1_000_000, "a name is bounded")
	}
}

func TestOddValues(t *testing.T) {
	d := whole()
	odd := []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 0}
	for i, v := range odd {
		d.Cells = append(d.Cells, twin.Score{
			Policy: "odd", Class: "small", Trace: fmt.Sprint("t", i), Miss: v, MissCritical: v, MissFirst10s: v, Utility: v, P50Ms: v, P95Ms: v, P99Ms: v, P999Ms: v,
			SentMB: v, SentShare: v, EnergyJ: v, HedgeWon: v, HedgeWasted: v, ECE: v, Brier: v,
		})
		d.Pairs = append(d.Pairs, Pair{A: "odd", B: fmt.Sprint(i), Metric: "utility", Mean: v, SE: v})
		d.Sweeps = append(d.Sweeps, Sweep{Key: "k", Points: []SweepPoint{{Value: fmt.Sprint(v), Policy: "odd", Miss: v, MissCritical: v, Utility: v, SentMB: v, EnergyJ: v}}})
		d.Regrets = append(d.Regrets, Regret{Policy: "odd", Against: "best", Regret: v})
		d.Timelines = append(d.Timelines, Timeline{
			Link:      []LinkPoint{{At: time.Duration(i) - 1, RTT: -1, Up: v}, {At: math.MaxInt64, RTT: math.MaxInt64, Up: v}},
			Decisions: []Decision{{At: -1, Latency: math.MaxInt64, Deadline: -1, Priority: -7, Route: 200}, {At: math.MaxInt64, Priority: 99, InTime: true}},
		})
	}
	text := written(t, d)
	for _, path := range regexp.MustCompile(` (?:d|x|y|width|height|viewBox)="([^"]*)"`).FindAllStringSubmatch(text, -1) {
		assert.NotRegexp(t, `[eN]|\d{7}`, path[1])
	}
	var runs []packed
	data := regexp.MustCompile(`(?s)<script type="application/json" id="runs">(.*?)</script>`).FindStringSubmatch(text)
	require.NoError(t, json.Unmarshal([]byte(data[1]), &runs))
	assert.Len(t, runs, 9)
}

func TestPageStaysSmall(t *testing.T) {
	d := Data{Title: "Large"}
	for p := range 8 {
		for class := range 4 {
			for trace := range 21 {
				s := score(fmt.Sprint("policy-", p), fmt.Sprint("class-", class), fmt.Sprint("trace-", trace), p)
				d.Cells = append(d.Cells, s)
				d.Latency = append(d.Latency, Latency{Policy: s.Policy, Class: s.Class, NoResult: 1})
			}
		}
	}
	for range 20 {
		d.Timelines = append(d.Timelines, timeline(25_000))
	}
	text := written(t, d)
	t.Logf("%d cells, %d bytes", len(d.Cells), len(text))
	assert.Less(t, len(text), 5_000_000)
	has(t, text, "8 more timelines were given")
}

type full struct{}

var errFull = errors.New("disk full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteSaysThatItCouldNot(t *testing.T) {
	assert.ErrorIs(t, Write(full{}, whole()), errFull)
}
