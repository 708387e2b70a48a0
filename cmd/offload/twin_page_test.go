// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/offload"
	"edgex-offload/twin/page"
)

func TestTwinWritesAPage(t *testing.T) {
	dir := steadyTraces(t)
	file := filepath.Join(dir, "page.html")
	args := []string{
		"twin", "--traces", dir, "--policies", "local,cost", "--classes", "nano,orin", "--sweep", "JitterFactor=0,4", "--html", file,
	}
	_, err := run(t, args...)
	require.NoError(t, err)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var sections []string
	for _, found := range regexp.MustCompile(`<section id="(\w+)">`).FindAllStringSubmatch(string(text), -1) {
		sections = append(sections, found[1])
	}
	assert.Equal(t, []string{"glance", "tradeoff", "traces", "pairs", "latency", "calibration", "knobs", "timelines", "cells"}, sections)
	assert.Equal(t, 4, strings.Count(string(text), `<p class="note" data-run=`), "both policies on both links")

	_, err = run(t, append(args, "--parallel", "1")...)
	require.NoError(t, err)
	again, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.True(t, string(text) == string(again), "the same command gives the same bytes")
}

func TestTwinSaysWhereNoPageCanBe(t *testing.T) {
	_, err := run(t, "twin", "--traces", steadyTraces(t), "--policies", "local", "--classes", "nano", "--html", filepath.Join(t.TempDir(), "no", "page.html"))
	require.Error(t, err)
	assert.Contains(t, err.Error(), "html: ")
}

func TestWatchedRunTellsWhereATaskWent(t *testing.T) {
	here, there := offload.AttemptView{Target: offload.Local}, offload.AttemptView{Target: "cloud"}
	answer := &offload.Answer{}
	for name, c := range map[string]struct {
		outcome offload.Outcome
		want    page.Route
	}{
		"box":     {offload.Outcome{Answer: answer, Record: offload.Record{Attempts: []offload.AttemptView{here}}}, page.Local},
		"sent":    {offload.Outcome{Answer: answer, Record: offload.Record{Attempts: []offload.AttemptView{there}}}, page.Remote},
		"hedged":  {offload.Outcome{Answer: answer, Record: offload.Record{Attempts: []offload.AttemptView{there, here}}}, page.Hedged},
		"dropped": {offload.Outcome{Reason: offload.Expired, Record: offload.Record{Attempts: []offload.AttemptView{there}}}, page.Dropped},
		"untried": {offload.Outcome{Reason: offload.Shed}, page.Dropped},
	} {
		assert.Equal(t, c.want, routeOf(&c.outcome), name)
	}
	w := watchedRun{timeline: &page.Timeline{}}
	w.observe(0, &offload.Outcome{Answer: answer, Record: offload.Record{
		Created: time.Unix(3, 0), Priority: "CRITICAL", LatencyMs: 20, DeadlineMs: 50, DeadlineMet: true, Attempts: []offload.AttemptView{here},
	}})
	w.observe(0, &offload.Outcome{Reason: offload.Shed, Record: offload.Record{Created: time.Unix(4, 0), Priority: "LOW", LatencyMs: 5, DeadlineMs: 50}})
	assert.Equal(t, []page.Decision{
		{At: 3 * time.Second, Route: page.Local, InTime: true, Latency: 20 * time.Millisecond, Deadline: 50 * time.Millisecond},
		{At: 4 * time.Second, Route: page.Dropped, Priority: 3, Latency: -1, Deadline: 50 * time.Millisecond},
	}, w.timeline.Decisions)
	assert.Equal(t, 1, w.missed)
	assert.Equal(t, 2, w.latency.Tasks())
}
