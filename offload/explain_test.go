// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Each record in testdata/explain has its text beside it. To write the texts anew:
// OFFLOAD_WRITE_GOLDEN=1 go test -run Explain ./offload
func TestExplainOnGoldenCases(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "explain", "*.json"))
	if err != nil || len(files) < 10 {
		t.Fatalf("%d cases, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			var r Record
			text, err := os.ReadFile(file)
			if err == nil {
				err = json.Unmarshal(text, &r)
			}
			if err != nil {
				t.Fatal(err)
			}
			golden(t, strings.TrimSuffix(file, ".json")+".txt", Explain(&r))
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if os.Getenv("OFFLOAD_WRITE_GOLDEN") != "" {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Any record can be explained, also one that was read from a file.
func TestExplainTakesAnyRecord(t *testing.T) {
	Explain(&Record{})
	Explain(&Record{Settled: Settled{Term: ByGain}, Decided: "cloud", Attempts: []AttemptView{{}}, Shadows: []ShadowView{{}}})
	rapid.Check(t, func(rt *rapid.T) {
		p := randomPlant(rt)
		live(rt, p)
		p.until(p.now + time.Minute)
		for _, outcomes := range p.outcomes {
			if text := Explain(&outcomes[0].Record); contains(text, "%!") {
				rt.Fatalf("%s", text)
			}
		}
	})
}

func TestExplainOfAnAnswerWithoutALabel(t *testing.T) {
	r := Record{Route: "local", AnsweredBy: "wear/1", LatencyMs: 12, DeadlineMet: true}
	if got := r.ending(); got != "12 ms: local answered without a label (wear/1), without a deadline" {
		t.Error(got)
	}
}
