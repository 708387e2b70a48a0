// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestSettingsNameWhatIsWrong(t *testing.T) {
	if err := DefaultSettings().Validate(); err != nil {
		t.Fatalf("the defaults are refused: %v", err)
	}
	for want, spoil := range map[string]func(*Settings){
		`Policy "fastest": allowed is quantile, cost, linucb, dqn, threshold, local, cloud`: func(s *Settings) { s.Policy = "fastest" },
		"JitterFactor -1: allowed is 0 to 100":                                              func(s *Settings) { s.JitterFactor = -1 },
		"JitterFactor NaN":                                                                  func(s *Settings) { s.JitterFactor = math.NaN() },
		"Weights.Accuracy +Inf":                                                             func(s *Settings) { s.Weights.Accuracy = math.Inf(1) },
		"Weights.Energy -0.5":                                                               func(s *Settings) { s.Weights.Energy = -.5 },
		"Weights.Money 1e+07":                                                               func(s *Settings) { s.Weights.Money = 1e7 },
		"Threshold.RTT 0s":                                                                  func(s *Settings) { s.Threshold.RTT = 0 },
		"Threshold.Jitter 2m0s":                                                             func(s *Settings) { s.Threshold.Jitter = 2 * time.Minute },
		"Threshold.Loss 1.5: allowed is 0 to 1":                                             func(s *Settings) { s.Threshold.Loss = 1.5 },
		"QueueLimit 0: allowed is 1 to 10000 tasks":                                         func(s *Settings) { s.QueueLimit = 0 },
		"InFlightLimit 1001":                                                                func(s *Settings) { s.InFlightLimit = 1001 },
		"RetryTarget 1ms: allowed is 100ms to 10m":                                          func(s *Settings) { s.RetryTarget = time.Millisecond },
		"Guard -1s":    func(s *Settings) { s.Guard = -time.Second },
		"Grace 1h0m0s": func(s *Settings) { s.Grace = time.Hour },
	} {
		s := DefaultSettings()
		spoil(&s)
		if err := s.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestConfigNamesWhatIsWrong(t *testing.T) {
	c := testConfig()
	c.Workers, c.Targets, c.Epoch = 0, []Target{{Name: "cloud"}, {Name: "cloud"}, {Name: Local}, {Name: ""}}, time.Time{}
	_, err := NewEngine(c)
	if err == nil {
		t.Fatal("a wrong configuration is taken")
	}
	for _, want := range []string{"Workers 0: allowed is 1 to 64", `Targets "cloud"`, `Targets "local"`, `Targets ""`, "Epoch is zero"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in: %v", want, err)
		}
	}
}

func TestNamesOfKindsAndPriorities(t *testing.T) {
	for _, k := range []Kind{ImageClassification, ObjectDetection, NLPAnalysis, SignalClassification, AnomalyDetection, Regression} {
		if got, err := ParseKind(strings.ToLower(k.String())); err != nil || got != k {
			t.Errorf("ParseKind(%q) = %v, %v", k, got, err)
		}
	}
	for _, p := range []Priority{Low, Medium, High, Critical} {
		if got, err := ParsePriority(p.String()); err != nil || got != p {
			t.Errorf("ParsePriority(%q) = %v, %v", p, got, err)
		}
	}
	if _, err := ParseKind("SMELL"); err == nil || !strings.Contains(err.Error(), "IMAGE_CLASSIFICATION, OBJECT_DETECTION") {
		t.Errorf("error %v does not list what is allowed", err)
	}
	if got := Kind(77).String(); got != "TYPE_77" {
		t.Errorf("unknown kind prints as %q", got)
	}
}
