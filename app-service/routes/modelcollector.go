// SPDX-License-Identifier: Apache-2.0

package routes

import (
	"github.com/prometheus/client_golang/prometheus"

	"edgex-offload/infer"
)

// modelDescs are of the models, by variant: each version of a model.
type modelDescs struct {
	state, accuracy, answers, errors, service *prometheus.Desc
	loads, swaps, verdicts, broken            *prometheus.Desc
}

func newModelDescs(desc func(name, help string, labels ...string) *prometheus.Desc) modelDescs {
	return modelDescs{
		state:    desc("model_state", "1 for the state a model is in: loading, ready, canary, draining, unloaded, failed, taken-back, elsewhere.", "variant", "serves", "state"),
		accuracy: desc("model_accuracy_ratio", "Accuracy that the model's file states; 0 is unknown.", "variant", "serves"),
		answers:  desc("model_answers_total", "Tasks that the model answered on the box.", "variant"),
		errors:   desc("model_errors_total", "Tasks that it failed at, wrong payloads among them.", "variant"),
		service:  desc("model_service_seconds", "Quantiles of its last 256 execution times.", "variant", "quantile"),
		loads:    desc("model_loads_total", "Models that were loaded, and that could not be.", "result"),
		swaps:    desc("model_swaps_total", "Versions that took another's place."),
		verdicts: desc("model_verdicts_total", "Versions on trial that were promoted, and that were taken back.", "verdict"),
		broken:   desc("model_drains_broken_total", "Replaced versions whose tasks did not end in time."),
	}
}

func (d *modelDescs) collect(s sink, models []infer.Status, counts infer.Counts) {
	for _, m := range models {
		variant := m.Variant()
		s.gauge(d.accuracy, m.Accuracy, variant, m.Serves)
		for _, state := range infer.States() {
			s.gauge(d.state, one(m.State == state), variant, m.Serves, string(state))
		}
		if m.P50Ms == 0 {
			continue // never loaded here
		}
		s.counter(d.answers, m.Answers, variant)
		s.counter(d.errors, m.Errors, variant)
		s.gauge(d.service, m.P50Ms/1000, variant, "0.5")
		s.gauge(d.service, m.P95Ms/1000, variant, "0.95")
		s.gauge(d.service, m.P99Ms/1000, variant, "0.99")
	}
	s.counter(d.loads, counts.Loads, "loaded")
	s.counter(d.loads, counts.LoadFailures, "failed")
	s.counter(d.swaps, counts.Swaps)
	s.counter(d.verdicts, counts.Promoted, "promoted")
	s.counter(d.verdicts, counts.TakenBack, "taken-back")
	s.counter(d.broken, counts.DrainsBroken)
}
