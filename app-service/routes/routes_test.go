// SPDX-License-Identifier: Apache-2.0

package routes

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/edgexfoundry/app-functions-sdk-go/v3/pkg/interfaces"
	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"edgex-offload/app-service/functions"
	"edgex-offload/app-service/supply"
	"edgex-offload/cascade"
	"edgex-offload/infer"
	"edgex-offload/offload"
	"edgex-offload/runner"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// router is a Router on an echo of its own.
type router struct {
	echo  *echo.Echo
	open  []string
	fails error
}

func (r *router) AddCustomRoute(route string, authentication interfaces.Authentication, handler echo.HandlerFunc, methods ...string) error {
	if authentication != interfaces.Authenticated {
		r.open = append(r.open, route)
	}
	r.echo.Match(methods, route, handler)
	return r.fails
}

func view() View {
	warm, left, drawn, events := 63.5, 4.5, 7.25, uint64(3)
	return View{
		Machine: supply.State{
			Mode: "15W", GPU: supply.Clock{Name: "17000000.gpu", NowMHz: 306, LimitMHz: 612, FullMHz: 918}, CPU: supply.Clock{Cores: 6},
			Throttled: []string{"gpu-throttle-alert"}, CriticalInC: &left, Watts: &drawn,
			Rails: map[string]float64{"VDD_SOC": 2}, OverCurrents: &events,
		},
		Status: runner.Status{
			Policy: "cost", Box: runner.Box{Battery: .5, Charging: true, TemperatureC: &warm, Speed: .75},
			Tasks: runner.Tasks{
				Arrived: 10, Finished: 9, UnderWay: 1, OnTime: 6,
				Routes: map[string]uint64{"local": 4, "cloud": 3}, Dropped: map[string]uint64{"superseded": 2},
			},
			Targets: []runner.TargetStatus{{
				Name: "cloud", Up: true, InFlight: 1, ServiceMs: map[string]float64{"surface": 5},
			}},
			LocalServiceMs: map[string]float64{"surface-small/1": 2},
		},
		Models: []infer.Status{{Name: "surface-small", Version: "1", Serves: "surface", State: infer.Ready, Accuracy: .9}},
		Cascades: []cascade.Status{
			{Name: "people", Usable: true, Complete: 8, Partial: 1, None: map[string]uint64{"shed": 2}},
			{Name: "gone", Problem: "no file", NeededBy: []string{"Tasks.gate"}},
		},
		PassedOver:    map[string]uint64{"unknown_resource": 5},
		Events:        map[string]uint64{"published": 7},
		Configuration: ConfigurationStatus{Accepted: 1},
	}
}

func serve(t *testing.T, read func(int, uint64) []offload.Record) (*router, *Metrics) {
	of := links{cloudLink()}
	r, m := &router{echo: echo.New()}, NewMetrics(view, of.Links, compared)
	require.NoError(t, Add(r, Handlers{
		PathStatus: Status(view), PathDecisions: Decisions(read), PathMetrics: m.Handler(),
		PathDecision: Decision(keptRecords{}, summaries{}), PathPolicies: Policies(compared),
		PathLink: Link(of), PathLinkSamples: LinkSamples(of),
	}))
	return r, m
}

func get(r *router, path string) (int, string) {
	recorder := httptest.NewRecorder()
	r.echo.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
	return recorder.Code, recorder.Body.String()
}

func TestAllRoutesAreAuthenticated(t *testing.T) {
	r, _ := serve(t, nil)
	require.Empty(t, r.open)
	require.Len(t, r.echo.Routes(), 7)
	r.fails = errors.New("reserved")
	require.EqualError(t, Add(r, Handlers{PathStatus: Status(view)}), "route /api/v3/offload/status: reserved")
}

func TestStatus(t *testing.T) {
	r, _ := serve(t, nil)
	code, body := get(r, PathStatus)
	require.Equal(t, http.StatusOK, code)
	var got struct {
		APIVersion string         `json:"apiVersion"`
		StatusCode int            `json:"statusCode"`
		Policy     string         `json:"policy"`
		Machine    supply.State   `json:"machine"`
		Tasks      map[string]any `json:"tasks"`
		Models     []infer.Status `json:"models"`
		PassedOver map[string]int `json:"passedOver"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &got))
	require.Equal(t, "v3", got.APIVersion)
	require.Equal(t, http.StatusOK, got.StatusCode)
	require.Equal(t, "cost", got.Policy)
	require.Equal(t, "15W", got.Machine.Mode)
	require.InDelta(t, 612, got.Machine.GPU.LimitMHz, 0)
	require.EqualValues(t, 10, got.Tasks["arrived"])
	require.Equal(t, infer.Ready, got.Models[0].State)
	require.Equal(t, 5, got.PassedOver["unknown_resource"])
}

func TestDecisions(t *testing.T) {
	type asked struct {
		limit int
		after uint64
	}
	for query, c := range map[string]struct {
		asked asked
		wrong string
	}{
		"":                                   {asked: asked{100, 0}},
		"?limit=1":                           {asked: asked{1, 0}},
		"?limit=1000&after=42":               {asked: asked{1000, 42}},
		"?after=9223372036854775808":         {asked: asked{100, 1 << 63}},
		"?limit=0":                           {wrong: `limit "0": allowed is 1 to 1000`},
		"?limit=1001":                        {wrong: `limit "1001": allowed is 1 to 1000`},
		"?limit=ten":                         {wrong: `limit "ten": allowed is 1 to 1000`},
		"?limit=-1":                          {wrong: `limit "-1": allowed is 1 to 1000`},
		"?after=-1":                          {wrong: `after "-1": allowed is 0 to 9223372036854775808`},
		"?after=99999999999999999999":        {wrong: `after "99999999999999999999": allowed is 0 to`},
		"?limit=" + strings.Repeat("9", 999): {wrong: `allowed is 1 to 1000`},
	} {
		t.Run(query[:min(len(query), 30)], func(t *testing.T) {
			var got []asked
			r, _ := serve(t, func(limit int, after uint64) []offload.Record {
				got = append(got, asked{limit, after})
				return []offload.Record{{Seq: 43, TaskID: "id"}}
			})
			code, body := get(r, PathDecisions+query)
			var answer struct {
				StatusCode int              `json:"statusCode"`
				Message    string           `json:"message"`
				Decisions  []offload.Record `json:"decisions"`
			}
			require.NoError(t, json.Unmarshal([]byte(body), &answer))
			require.Equal(t, code, answer.StatusCode)
			if c.wrong != "" {
				require.Equal(t, http.StatusBadRequest, code)
				require.Contains(t, answer.Message, c.wrong)
				require.Less(t, len(answer.Message), 200, "what was sent is cut")
				require.Empty(t, got)
				return
			}
			require.Equal(t, http.StatusOK, code)
			require.Equal(t, []asked{c.asked}, got)
			require.Equal(t, uint64(43), answer.Decisions[0].Seq)
		})
	}
}

func TestMetrics(t *testing.T) {
	r, m := serve(t, nil)
	m.Observe(functions.Result{Outcome: offload.Outcome{Answer: &offload.Answer{}, Record: offload.Record{Route: "cloud", LatencyMs: 40}}})
	m.Observe(functions.Result{Outcome: offload.Outcome{Reason: offload.Shed, Record: offload.Record{LatencyMs: 40}}})
	code, body := get(r, PathMetrics)
	require.Equal(t, http.StatusOK, code)
	for _, line := range []string{
		`offload_tasks_total{reason="",route="cloud"} 3`,
		`offload_tasks_total{reason="",route="local"} 4`,
		`offload_tasks_total{reason="superseded",route="none"} 2`,
		`offload_tasks_arrived_total 10`,
		`offload_tasks_on_time_total 6`,
		`offload_tasks_under_way 1`,
		`offload_latency_seconds_bucket{route="cloud",le="0.05"} 1`,
		`offload_latency_seconds_bucket{route="cloud",le="0.02"} 0`,
		`offload_latency_seconds_count{route="cloud"} 1`,
		`offload_target_up{target="cloud"} 1`,
		`offload_target_in_flight{target="cloud"} 1`,
		`offload_target_service_seconds{model="surface",target="cloud"} 0.005`,
		`offload_local_service_seconds{variant="surface-small/1"} 0.002`,
		`offload_model_state{serves="surface",state="ready",variant="surface-small/1"} 1`,
		`offload_model_state{serves="surface",state="failed",variant="surface-small/1"} 0`,
		`offload_model_accuracy_ratio{serves="surface",variant="surface-small/1"} 0.9`,
		`offload_readings_passed_over_total{reason="unknown_resource"} 5`,
		`offload_outcome_events_total{way="published"} 7`,
		`offload_configuration_changes_total{result="accepted"} 1`,
		`offload_cascade_usable{cascade="people"} 1`,
		`offload_cascade_usable{cascade="gone"} 0`,
		`offload_cascade_pictures_total{cascade="people",reason="",result="complete"} 8`,
		`offload_cascade_pictures_total{cascade="people",reason="",result="partial"} 1`,
		`offload_cascade_pictures_total{cascade="people",reason="shed",result="none"} 2`,
		`offload_policy_tasks{policy="cost",role="acting"} 1000`,
		`offload_policy_missed_ratio{bound="value",policy="cost",role="acting"} 0.02`,
		`offload_policy_missed_ratio{bound="high",policy="cost",role="acting"} 0.03`,
		`offload_policy_p99_seconds{bound="low",policy="cost",role="acting"} 0.08`,
		`offload_policy_p99_seconds{bound="high",policy="local",role="shadow"} +Inf`,
		`offload_policy_agreed_ratio{policy="local",role="shadow"} 0.5`,
		`offload_box_speed_ratio 0.75`,
		`offload_box_clock_hertz{clock="gpu",what="limit"} 6.12e+08`,
		`offload_box_clock_hertz{clock="gpu",what="full"} 9.18e+08`,
		`offload_box_cores 6`,
		`offload_box_power_mode{mode="15W"} 1`,
		`offload_box_temperature_celsius 63.5`,
		`offload_box_below_critical_celsius 4.5`,
		`offload_box_near_critical 1`,
		`offload_box_throttled 1`,
		`offload_box_power_watts 7.25`,
		`offload_box_rail_power_watts{rail="VDD_SOC"} 2`,
		`offload_box_over_current_events_total 3`,
		`offload_box_battery_ratio 0.5`,
		`offload_box_charging 1`,
		`process_resident_memory_bytes`,
	} {
		require.Contains(t, body, line)
	}
	problems, err := promlint.New(strings.NewReader(body)).Lint()
	require.NoError(t, err)
	require.Empty(t, problems, "what promtool would say")
}

// A box that shows nothing has no figures that look like some.
func TestMetricsOfAnUnknownBox(t *testing.T) {
	silent := func() View { return View{Status: runner.Status{Box: runner.Box{Battery: 1, Charging: true}}} }
	m := NewMetrics(silent, links{cloudLink()}.Links, compared)
	r := &router{echo: echo.New()}
	require.NoError(t, Add(r, Handlers{PathMetrics: m.Handler()}))
	_, body := get(r, PathMetrics)
	var found []string
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, "offload_box_") {
			found = append(found, strings.TrimSpace(line))
		}
	}
	require.Equal(t, []string{"offload_box_battery_ratio 1", "offload_box_charging 1", "offload_box_throttled 0"}, found)
}

// A name that Prometheus cannot take costs its metric, not the service.
func TestMetricsOfAnUnusableName(t *testing.T) {
	m := NewMetrics(view, func(bool) []runner.LinkStatus {
		link := cloudLink()
		link.Target, link.RTTMs = "cl\xffoud", math.NaN()
		return []runner.LinkStatus{link}
	}, compared)
	r := &router{echo: echo.New()}
	require.NoError(t, Add(r, Handlers{PathMetrics: m.Handler()}))
	code, body := get(r, PathMetrics)
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, body, "offload_tasks_arrived_total 10")
}

func TestConfigurationLog(t *testing.T) {
	var l ConfigurationLog
	l.Add(errors.New("Policy"))
	require.Equal(t, ConfigurationStatus{Refused: 1, LastRefusal: "Policy"}, l.Status())
	l.Add(nil)
	require.Equal(t, ConfigurationStatus{Refused: 1, Accepted: 1}, l.Status())
}
