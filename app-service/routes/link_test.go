// SPDX-License-Identifier: Apache-2.0

package routes

import (
	"encoding/json"
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"edgex-offload/runner"
)

// links are Links that do not change.
type links []runner.LinkStatus

func (l links) Links(history bool) []runner.LinkStatus {
	all := make([]runner.LinkStatus, len(l))
	copy(all, l)
	for i := range all {
		if !history {
			all[i].History = nil
		}
	}
	return all
}

func (l links) LinkSamples(target string, limit int, after uint64) ([]runner.LinkSample, bool) {
	for _, each := range l {
		if each.Target == target {
			var samples []runner.LinkSample
			for seq := after + 1; seq <= 3 && len(samples) < limit; seq++ {
				samples = append(samples, runner.LinkSample{Seq: seq, AtNs: 5, Kind: "rtt", RTTMs: 20})
			}
			return samples, true
		}
	}
	return nil, false
}

// cloudLink has another value in each figure.
func cloudLink() runner.LinkStatus {
	return runner.LinkStatus{
		Target: "cloud", Up: true, Probing: "rpc",
		RTTMs: 20, RTTVarMs: 2.5, MinRTTMs: 18, RTTAgeMs: 200,
		JitterMs: runner.JitterMs{StdDev: 3, MAD: 2, RFC3550: 1, Spread: 4},
		Loss:     .25, LossAgeMs: 300,
		UpKbps: 8, UpAgeMs: 400, UpAtLeast: true, UpKbpsBySize: [3]float64{4, 0, 8},
		DownKbps: 16, DownAgeMs: 500,
		QueueUpMs: 6, StalledForMs: 7, HeardAgoMs: 9, Waiting: 10, InFlight: 11,
		P50Ms2KB: 30, P95Ms2KB: 40, P50Ms60KB: 50, P95Ms60KB: 60, Predictions: 400, Held95: .95, CalibrationE: .02,
		Probes: 70, ProbesLost: 12, ProbeBytes: 9000, ProbeBytesMin: 13, Reconnects: 14,
		TCP: &runner.TCPStatus{
			RTTMs: 21, RTTVarMs: 22, MinRTTMs: 23, DeliveryKbps: 80, ApplicationLimited: true,
			Retransmits: 15, UnsentBytes: 1500, UnackedBytes: 16,
		},
		Rejected: map[string]uint64{"clock_step": 17},
		History: []runner.LinkPoint{
			{AtMs: 8_500, RTTMs: 20, JitterMs: 5, UpKbps: 100, DownKbps: 300, Up: true},
			{AtMs: 9_500, RTTMs: 90, JitterMs: 2, UpKbps: 0, DownKbps: 200, Loss: .1, Up: true},
			{AtMs: 10_500, RTTMs: 30, Up: true},
			{AtMs: 11_500, RTTMs: 10, UpKbps: 80, Loss: .5},
		},
	}
}

func TestLink(t *testing.T) {
	peer := runner.LinkStatus{Target: "peer", Reason: "connection refused", RTTAgeMs: -1, Rejected: map[string]uint64{}}
	both := links{cloudLink(), peer}
	for query, c := range map[string]struct {
		of      links
		code    int
		targets []string
		wrong   string
		rtts    []float64 // of the first one's points
	}{
		"":                         {of: both, code: 200, targets: []string{"cloud", "peer"}, rtts: []float64{90, 30}},
		"?step=1":                  {of: both, code: 200, targets: []string{"cloud", "peer"}, rtts: []float64{20, 90, 30, 10}},
		"?step=60&target=cloud":    {of: both, code: 200, targets: []string{"cloud"}, rtts: []float64{90}},
		"?target=peer":             {of: both, code: 200, targets: []string{"peer"}},
		"?history=false":           {of: both, code: 200, targets: []string{"cloud", "peer"}},
		"?history=true&target=":    {of: both, code: 200, targets: []string{"cloud", "peer"}, rtts: []float64{90, 30}},
		"?no=target":               {code: 200, targets: []string{}},
		"?target=moon":             {of: both, code: 404, wrong: `target "moon" is not there: allowed are cloud, peer`},
		"?target=cloud&none=there": {code: 404, wrong: `target "cloud" is not there: no target has an Address`},
		"?step=0":                  {of: both, code: 400, wrong: `step "0": allowed is 1 to 60`},
		"?step=61":                 {of: both, code: 400, wrong: `step "61": allowed is 1 to 60`},
		"?step=5s":                 {of: both, code: 400, wrong: `step "5s": allowed is 1 to 60`},
		"?history=no":              {of: both, code: 400, wrong: `history "no": allowed are true, false`},
	} {
		t.Run(query, func(t *testing.T) {
			r := &router{echo: echo.New()}
			require.NoError(t, Add(r, Handlers{PathLink: Link(c.of)}))
			code, body := get(r, PathLink+query)
			require.Equal(t, c.code, code, body)
			var answer struct {
				APIVersion string              `json:"apiVersion"`
				StatusCode int                 `json:"statusCode"`
				Message    string              `json:"message"`
				Targets    []runner.LinkStatus `json:"targets"`
			}
			require.NoError(t, json.Unmarshal([]byte(body), &answer))
			require.Equal(t, "v3", answer.APIVersion)
			require.Equal(t, c.code, answer.StatusCode)
			require.Equal(t, c.wrong, answer.Message)
			if c.wrong != "" {
				return
			}
			require.NotNil(t, answer.Targets, "an empty list, not null")
			names := []string{}
			for _, each := range answer.Targets {
				names = append(names, each.Target)
			}
			require.Equal(t, c.targets, names)
			var rtts []float64
			for _, point := range append(answer.Targets, runner.LinkStatus{})[0].History {
				rtts = append(rtts, point.RTTMs)
			}
			require.Equal(t, c.rtts, rtts)
		})
	}
}

// What is thinned shows the worst second of each figure, and an unknown rate as unknown
// only where no second knew it.
func TestThinnedPointsAreTheWorstOfTheirStep(t *testing.T) {
	require.Equal(t, []runner.LinkPoint{
		{AtMs: 5_000, RTTMs: 90, JitterMs: 5, UpKbps: 100, DownKbps: 200, Loss: .1, Up: true},
		{AtMs: 10_000, RTTMs: 30, UpKbps: 80, Loss: .5},
	}, thin(cloudLink().History, 5))
}

func TestThinningLosesNothingBad(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.Int64Range(0, 1e13).Draw(t, "at")
		var points []runner.LinkPoint
		for range rapid.IntRange(0, 700).Draw(t, "points") {
			at += rapid.Int64Range(-100_000, 1100).Draw(t, "later") // the wall clock may be set back
			points = append(points, runner.LinkPoint{
				AtMs: max(at, 0), RTTMs: rapid.Float64Range(0, 1e4).Draw(t, "rtt"), Loss: rapid.Float64Range(0, 1).Draw(t, "loss"),
				UpKbps: rapid.SampledFrom([]float64{0, 1, 2, 3}).Draw(t, "up"),
			})
		}
		step := rapid.Int64Range(1, maxStep).Draw(t, "step")
		thinned := thin(points, step)
		if len(thinned) > len(points) {
			t.Fatalf("%d points became %d", len(points), len(thinned))
		}
		figures := func(of []runner.LinkPoint) (rtt, loss, up float64) {
			up = math.Inf(1)
			for _, p := range of {
				rtt, loss = max(rtt, p.RTTMs), max(loss, p.Loss)
				if p.UpKbps > 0 {
					up = min(up, p.UpKbps)
				}
			}
			return rtt, loss, up
		}
		rtt, loss, up := figures(points)
		if r, l, u := figures(thinned); r != rtt || l != loss || u != up {
			t.Fatalf("worst round trip, loss, rate were %v, %v, %v and are %v, %v, %v", rtt, loss, up, r, l, u)
		}
	})
}

func TestLinkSamples(t *testing.T) {
	one, both := links{cloudLink()}, links{cloudLink(), {Target: "peer"}}
	for query, c := range map[string]struct {
		of    links
		code  int
		seqs  []uint64
		wrong string
	}{
		"":                          {of: one, code: 200, seqs: []uint64{1, 2, 3}},
		"?after=1":                  {of: one, code: 200, seqs: []uint64{2, 3}},
		"?after=1&limit=1":          {of: both, code: 400, wrong: `target "": allowed are cloud, peer`},
		"?target=peer&limit=2":      {of: both, code: 200, seqs: []uint64{1, 2}},
		"?target=cloud&after=3":     {of: both, code: 200, seqs: []uint64{}},
		"?target=moon":              {of: both, code: 404, wrong: `target "moon" is not there: allowed are cloud, peer`},
		"?limit=1000":               {code: 404, wrong: `target "" is not there: no target has an Address`},
		"?limit=1001":               {of: one, code: 400, wrong: `limit "1001": allowed is 1 to 1000`},
		"?limit=0":                  {of: one, code: 400, wrong: `limit "0": allowed is 1 to 1000`},
		"?after=-1":                 {of: one, code: 400, wrong: `after "-1": allowed is 0 to 9223372036854775808`},
		"?target=cloud&after=later": {of: one, code: 400, wrong: `after "later": allowed is 0 to 9223372036854775808`},
	} {
		t.Run(query, func(t *testing.T) {
			r := &router{echo: echo.New()}
			require.NoError(t, Add(r, Handlers{PathLinkSamples: LinkSamples(c.of)}))
			code, body := get(r, PathLinkSamples+query)
			require.Equal(t, c.code, code, body)
			var answer struct {
				StatusCode int                 `json:"statusCode"`
				Message    string              `json:"message"`
				Target     string              `json:"target"`
				Samples    []runner.LinkSample `json:"samples"`
			}
			require.NoError(t, json.Unmarshal([]byte(body), &answer))
			require.Equal(t, c.code, answer.StatusCode)
			require.Equal(t, c.wrong, answer.Message)
			if c.wrong != "" {
				return
			}
			require.NotEmpty(t, answer.Target)
			seqs := []uint64{}
			for _, sample := range answer.Samples {
				seqs = append(seqs, sample.Seq)
			}
			require.Equal(t, c.seqs, seqs)
			require.NotContains(t, body, `"samples":null`)
		})
	}
}

// What was sent is cut in what is said of it.
func TestLongNamesAreCut(t *testing.T) {
	r, _ := serve(t, nil)
	for _, path := range []string{PathLink, PathLinkSamples} {
		code, body := get(r, path+"?target="+strings.Repeat("x", 9999))
		require.Equal(t, http.StatusNotFound, code)
		require.Less(t, len(body), 200)
	}
}
