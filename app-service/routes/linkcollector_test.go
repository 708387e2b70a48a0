// SPDX-License-Identifier: Apache-2.0

package routes

import (
	"fmt"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"edgex-offload/runner"
)

func TestLinkMetrics(t *testing.T) {
	body := scrapeLink(t, cloudLink())
	for _, line := range []string{
		`offload_link_rtt_seconds{target="cloud"} 0.02`,
		`offload_link_rtt_variation_seconds{target="cloud"} 0.0025`,
		`offload_link_min_rtt_seconds{target="cloud"} 0.018`,
		`offload_link_jitter_seconds{definition="stddev",target="cloud"} 0.003`,
		`offload_link_jitter_seconds{definition="mad",target="cloud"} 0.002`,
		`offload_link_jitter_seconds{definition="rfc3550",target="cloud"} 0.001`,
		`offload_link_jitter_seconds{definition="spread",target="cloud"} 0.004`,
		`offload_link_loss_ratio{target="cloud"} 0.25`,
		`offload_link_figure_age_seconds{figure="rtt",target="cloud"} 0.2`,
		`offload_link_figure_age_seconds{figure="loss",target="cloud"} 0.3`,
		`offload_link_figure_age_seconds{figure="up",target="cloud"} 0.4`,
		`offload_link_figure_age_seconds{figure="down",target="cloud"} 0.5`,
		`offload_link_up_bytes_per_second{target="cloud"} 1000`,
		`offload_link_up_by_size_bytes_per_second{size="under_16KB",target="cloud"} 500`,
		`offload_link_up_by_size_bytes_per_second{size="larger",target="cloud"} 1000`,
		`offload_link_up_at_least{target="cloud"} 1`,
		`offload_link_down_bytes_per_second{target="cloud"} 2000`,
		`offload_link_up_queue_seconds{target="cloud"} 0.006`,
		`offload_link_stalled_seconds{target="cloud"} 0.007`,
		`offload_link_heard_age_seconds{target="cloud"} 0.009`,
		`offload_link_predicted_seconds{probability="0.5",size="2KB",target="cloud"} 0.03`,
		`offload_link_predicted_seconds{probability="0.95",size="60KB",target="cloud"} 0.06`,
		`offload_link_prediction_held_ratio{target="cloud"} 0.95`,
		`offload_link_calibration_error_ratio{target="cloud"} 0.02`,
		`offload_link_metered{target="cloud"} 0`,
		`offload_link_probes_total{target="cloud"} 70`,
		`offload_link_probes_lost_total{target="cloud"} 12`,
		`offload_link_probe_bytes_total{target="cloud"} 9000`,
		`offload_link_reconnects_total{target="cloud"} 14`,
		`offload_link_rejected_total{reason="clock_step",target="cloud"} 17`,
		`offload_link_tcp_rtt_seconds{target="cloud"} 0.021`,
		`offload_link_tcp_delivery_bytes_per_second{target="cloud"} 10000`,
		`offload_link_tcp_application_limited{target="cloud"} 1`,
		`offload_link_tcp_retransmits_total{target="cloud"} 15`,
		`offload_link_tcp_unsent_bytes{target="cloud"} 1500`,
	} {
		require.Contains(t, body, line+"\n")
	}
	require.NotContains(t, body, `size="under_64KB"`, "never measured")
}

// What was never measured is not there, and looks like nothing else.
func TestUnmeasuredLinksHaveNoFigures(t *testing.T) {
	never := runner.LinkStatus{Target: "peer", RTTAgeMs: -1, LossAgeMs: -1, UpAgeMs: -1, DownAgeMs: -1, HeardAgoMs: -1, P95Ms2KB: 60}
	var got []string
	for line := range strings.Lines(scrapeLink(t, never)) {
		if strings.HasPrefix(line, "offload_link_") {
			got = append(got, strings.TrimSuffix(line, "\n"))
		}
	}
	require.Equal(t, []string{
		`offload_link_metered{target="peer"} 0`,
		`offload_link_probe_bytes_total{target="peer"} 0`,
		`offload_link_probes_lost_total{target="peer"} 0`,
		`offload_link_probes_total{target="peer"} 0`,
		`offload_link_reconnects_total{target="peer"} 0`,
		`offload_link_stalled_seconds{target="peer"} 0`,
		`offload_link_up_queue_seconds{target="peer"} 0`,
	}, got)
}

// What is shown is explained: in the guide for those who have an EdgeX stack.
func TestTheGuideNamesEachFigureOfALink(t *testing.T) {
	text, err := os.ReadFile("../../docs/edgex.md")
	require.NoError(t, err)
	guide := string(text)
	for line := range strings.Lines(scrapeLink(t, cloudLink())) {
		name, _, _ := strings.Cut(strings.TrimPrefix(line, "# HELP offload_link_"), " ")
		if strings.HasPrefix(line, "# HELP offload_link_") {
			require.True(t, strings.Contains(guide, "`offload_link_"+name+"`") || strings.Contains(guide, "`…_"+name+"`"), name)
		}
	}
	inRow := map[string]bool{"rttAgeMs": true, "lossAgeMs": true, "upAgeMs": true, "downAgeMs": true, "p95Ms2KB": true, "p50Ms60KB": true}
	for i := range reflect.TypeFor[runner.LinkStatus]().NumField() {
		key, _, _ := strings.Cut(reflect.TypeFor[runner.LinkStatus]().Field(i).Tag.Get("json"), ",")
		require.True(t, inRow[key] || strings.Contains(guide, "`"+key+"`"), key)
	}
}

func scrapeLink(t *testing.T, link runner.LinkStatus) string {
	t.Helper()
	m := NewMetrics(view, links{link}.Links, compared)
	r := &router{echo: echo.New()}
	require.NoError(t, Add(r, Handlers{PathMetrics: m.Handler()}))
	code, body := get(r, PathMetrics)
	require.Equal(t, http.StatusOK, code)
	return body
}

// Each number of a LinkStatus is in some metric: one that is added there is missed here.
func TestEachFigureOfALinkIsAMetric(t *testing.T) {
	elsewhere := map[string]string{
		"Up": "offload_target_up", "Waiting": "offload_target_waiting", "InFlight": "offload_target_in_flight",
		"ProbeBytesMin": "rate(offload_link_probe_bytes_total[1m])",
	}
	scrape := func(link runner.LinkStatus) string {
		registry := prometheus.NewPedanticRegistry()
		registry.MustRegister(&linkCollector{links{link}.Links, newLinkDescs()})
		families, err := registry.Gather()
		require.NoError(t, err)
		return fmt.Sprint(families)
	}
	checked := 0
	var walk func(path string, change func(*runner.LinkStatus) reflect.Value, of reflect.Type)
	walk = func(path string, change func(*runner.LinkStatus) reflect.Value, of reflect.Type) {
		switch of.Kind() {
		case reflect.Struct:
			for i := range of.NumField() {
				field := of.Field(i)
				if elsewhere[field.Name] == "" && field.Name != "History" {
					walk(path+"."+field.Name, func(l *runner.LinkStatus) reflect.Value { return change(l).Field(i) }, field.Type)
				}
			}
		case reflect.Pointer:
			walk(path, func(l *runner.LinkStatus) reflect.Value { return change(l).Elem() }, of.Elem())
		case reflect.Array:
			for i := range of.Len() {
				walk(path, func(l *runner.LinkStatus) reflect.Value { return change(l).Index(i) }, of.Elem())
			}
		case reflect.Map:
			walk(path, func(l *runner.LinkStatus) reflect.Value {
				l.Rejected = map[string]uint64{"clock_step": 18}
				return reflect.New(of.Elem()).Elem()
			}, of.Elem())
		case reflect.String:
		default:
			link := cloudLink()
			value := change(&link)
			switch {
			case value.CanFloat():
				value.SetFloat(value.Float() + 1)
			case value.CanInt():
				value.SetInt(value.Int() + 1)
			case value.CanUint():
				value.SetUint(value.Uint() + 1)
			default:
				value.SetBool(!value.Bool())
			}
			require.NotEqual(t, scrape(cloudLink()), scrape(link), path)
			checked++
		}
	}
	walk("LinkStatus", func(l *runner.LinkStatus) reflect.Value { return reflect.ValueOf(l).Elem() }, reflect.TypeFor[runner.LinkStatus]())
	require.Greater(t, checked, 35)
}
