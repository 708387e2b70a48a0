// SPDX-License-Identifier: Apache-2.0

package routes

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"edgex-offload/runner"
)

// Links is what is known of the links to the targets. *runner.Runner is one.
type Links interface {
	// Links tells how each stands now, with its last ten minutes if history is wanted.
	Links(history bool) []runner.LinkStatus
	// LinkSamples are a target's measurements after a sequence number, oldest first; false
	// for a target that is not there.
	LinkSamples(target string, limit int, after uint64) ([]runner.LinkSample, bool)
}

const (
	defaultStep, maxStep = 5, 60 // seconds
	maxSamples           = 1000  // in one answer, about 60 bytes each
)

// Link answers with how the link to each target stands, or to the one that is asked for.
func Link(of Links) echo.HandlerFunc {
	return func(c echo.Context) error {
		step, err := number(c, "step", defaultStep, 1, maxStep)
		if err != nil {
			return refuse(c, err)
		}
		history, err := truth(c, "history", true)
		if err != nil {
			return refuse(c, err)
		}
		targets := of.Links(history)
		if wanted := c.QueryParam("target"); wanted != "" {
			i := slices.IndexFunc(targets, func(l runner.LinkStatus) bool { return l.Target == wanted })
			if i < 0 {
				return notThere(c, wanted, targets)
			}
			targets = targets[i : i+1]
		}
		answer := make([]runner.LinkStatus, len(targets)) // never null
		for i, link := range targets {
			link.History = thin(link.History, int64(step))
			answer[i] = link
		}
		return c.JSON(http.StatusOK, struct {
			head
			Targets []runner.LinkStatus `json:"targets"`
		}{ok(), answer})
	}
}

// LinkSamples answers with single measurements, for a recording.
func LinkSamples(of Links) echo.HandlerFunc {
	return func(c echo.Context) error {
		limit, err := number(c, "limit", maxSamples, 1, maxSamples)
		if err != nil {
			return refuse(c, err)
		}
		after, err := number(c, "after", 0, 0, 1<<63)
		if err != nil {
			return refuse(c, err)
		}
		target := c.QueryParam("target")
		if target == "" {
			switch targets := of.Links(false); len(targets) {
			case 0:
				return notThere(c, target, targets)
			case 1:
				target = targets[0].Target
			default:
				return refuse(c, fmt.Errorf(`target "": allowed are %s`, names(targets)))
			}
		}
		samples, there := of.LinkSamples(target, int(limit), after)
		if !there {
			return notThere(c, target, of.Links(false))
		}
		return c.JSON(http.StatusOK, struct {
			head
			Target  string              `json:"target"`
			Samples []runner.LinkSample `json:"samples"`
		}{ok(), target, append([]runner.LinkSample{}, samples...)}) // never null
	}
}

// thin makes one point of each step of so many seconds, counted from the beginning of
// Unix time so that asking again moves none. Each figure is the worst of the step: a mean
// would hide the second in which tasks were late, and that second is looked for. A step
// that has only begun, or is only partly in the ten minutes, is made of what there is.
func thin(points []runner.LinkPoint, step int64) []runner.LinkPoint {
	if step == 1 || len(points) == 0 {
		return points // as they are
	}
	thinned := make([]runner.LinkPoint, 0, len(points)/int(step)+2)
	for _, p := range points {
		p.AtMs -= p.AtMs % (step * 1000)
		if last := len(thinned) - 1; last >= 0 && thinned[last].AtMs == p.AtMs {
			thinned[last] = worst(thinned[last], p)
		} else {
			thinned = append(thinned, p)
		}
	}
	return thinned
}

func worst(a, b runner.LinkPoint) runner.LinkPoint {
	return runner.LinkPoint{
		AtMs:     a.AtMs,
		RTTMs:    max(a.RTTMs, b.RTTMs),
		JitterMs: max(a.JitterMs, b.JitterMs),
		UpKbps:   slower(a.UpKbps, b.UpKbps),
		DownKbps: slower(a.DownKbps, b.DownKbps),
		Loss:     max(a.Loss, b.Loss),
		Up:       a.Up && b.Up,
	}
}

// slower is the lesser of two rates, of which 0 is unknown.
func slower(a, b float64) float64 {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

func notThere(c echo.Context, target string, targets []runner.LinkStatus) error {
	if len(targets) == 0 {
		return fail(c, http.StatusNotFound, fmt.Errorf("target %.40q is not there: no target has an Address", target))
	}
	return fail(c, http.StatusNotFound, fmt.Errorf("target %.40q is not there: allowed are %s", target, names(targets)))
}

func names(targets []runner.LinkStatus) string {
	all := make([]string, len(targets))
	for i, t := range targets {
		all[i] = t.Target
	}
	return strings.Join(all, ", ")
}
