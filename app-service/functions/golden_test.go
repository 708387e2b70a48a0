// SPDX-License-Identifier: Apache-2.0

package functions

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/edgexfoundry/app-functions-sdk-go/v3/pkg"
	"github.com/edgexfoundry/app-functions-sdk-go/v3/pkg/interfaces"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/clients/logger"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/common"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos"
	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"edgex-offload/offload"
)

// goldenJob is what a case's expected.json shows of a job.
type goldenJob struct {
	ID             string            `json:"id"`
	Kind           string            `json:"kind"`
	Priority       string            `json:"priority"`
	Source         string            `json:"source"`
	Model          string            `json:"model"`
	Payload        string            `json:"payload"` // base64
	Created        int64             `json:"created"` // ns since 1970
	Deadline       string            `json:"deadline,omitempty"`
	Context        map[string]string `json:"context"`
	ExpectedLocal  string            `json:"expectedLocal,omitempty"`
	ExpectedRemote string            `json:"expectedRemote,omitempty"`
	Truth          string            `json:"truth,omitempty"`
	From           Origin            `json:"from"`
}

type golden struct {
	Jobs   []goldenJob       `json:"jobs"`
	Passed map[string]uint64 `json:"passed"`
}

// TestDecodeEventGolden reads testdata/<case>/event.json, as JSON and, where it is an
// AddEventRequest, as CBOR too, and compares with expected.json.
// UPDATE_GOLDEN=1 writes expected.json anew.
func TestDecodeEventGolden(t *testing.T) {
	cases, err := filepath.Glob("testdata/*/event.json")
	require.NoError(t, err)
	require.NotEmpty(t, cases)
	for _, event := range cases {
		dir := filepath.Dir(event)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			payload, err := os.ReadFile(event)
			require.NoError(t, err)
			got := decodeGolden(t, payload, common.ContentTypeJSON)
			expected := filepath.Join(dir, "expected.json")
			if os.Getenv("UPDATE_GOLDEN") != "" {
				text, err := json.MarshalIndent(got, "", "  ")
				require.NoError(t, err)
				require.NoError(t, os.WriteFile(expected, append(text, '\n'), 0o644))
			}
			text, err := os.ReadFile(expected)
			require.NoError(t, err)
			var want golden
			require.NoError(t, json.Unmarshal(text, &want))
			require.Equal(t, want, got)

			// Not requests.AddEventRequest: that panics on some of the cases.
			var request struct {
				Event dtos.Event `json:"event"`
			}
			if json.Unmarshal(payload, &request) == nil && request.Event.Id != "" {
				again, err := cbor.Marshal(request)
				require.NoError(t, err)
				require.Equal(t, want, decodeGolden(t, again, common.ContentTypeCBOR), "as CBOR")
			}
		})
	}
}

// goldenNow is the moment at which the cases are decoded: 2026-01-02T03:04:05Z.
func goldenNow() time.Time { return time.Unix(1767323045, 0) }

func goldenRules(t testing.TB) Rules {
	rules, err := NewRules(
		Rule{Name: "surface", Resource: "Frame", Kind: offload.ImageClassification, Model: "surface", Priority: offload.Medium, Deadline: 250 * time.Millisecond},
		Rule{Name: "special", Resource: "Frame", Device: "camera-9", Kind: offload.ObjectDetection, Model: "faces", Priority: offload.Critical},
		Rule{
			Name: "vibration", Resource: "Window", Profile: "offload-vibration", Kind: offload.SignalClassification, Model: "vibration", Priority: offload.High,
			Deadline: time.Second, ExpectedLocal: 3 * time.Millisecond, ExpectedRemote: 9 * time.Millisecond,
		},
		Rule{Name: "value", Resource: "Value", Kind: offload.SignalClassification, Model: "level", Priority: offload.Low},
		Rule{Name: "remark", Resource: "Remark", Kind: offload.NLPAnalysis, Model: "mood", Priority: offload.Low},
	)
	require.NoError(t, err)
	return rules
}

func goldenDecoder(t testing.TB) *Decoder {
	d, err := NewDecoder(goldenRules(t), Limits{MessageBytes: 1 << 20, PayloadBytes: 4096, Decoding: 8}, goldenNow)
	require.NoError(t, err)
	return d
}

func decodeGolden(t *testing.T, payload []byte, contentType string) golden {
	d := goldenDecoder(t)
	ctx := typedContext{testContext(), contentType}
	more, data := d.DecodeEvent(ctx, payload)
	got := golden{Jobs: []goldenJob{}, Passed: d.Passed()}
	if !more {
		require.Nil(t, data, "the pipeline ends without an error")
		return got
	}
	for _, job := range data.([]Job) {
		got.Jobs = append(got.Jobs, shown(job))
	}
	return got
}

func shown(job Job) goldenJob {
	task := job.Task
	text := func(d time.Duration) string {
		if d == 0 {
			return ""
		}
		return d.String()
	}
	g := goldenJob{
		ID: task.ID, Kind: task.Kind.String(), Priority: task.Priority.String(), Source: task.Source, Model: task.Model,
		Payload: base64.StdEncoding.EncodeToString(task.Payload), Created: task.Created.UnixNano(), Context: task.Context,
		ExpectedLocal: text(task.ExpectedLocal), ExpectedRemote: text(task.ExpectedRemote), Truth: task.Truth, From: job.From,
	}
	if !task.Deadline.IsZero() {
		g.Deadline = task.Deadline.Sub(task.Created).String()
	}
	return g
}

func testContext() interfaces.AppFunctionContext {
	return pkg.NewAppFuncContextForTest("test", logger.NewMockClient())
}

// typedContext is a context whose message came with a content type, which only the SDK
// itself can set.
type typedContext struct {
	interfaces.AppFunctionContext
	contentType string
}

func (c typedContext) InputContentType() string { return c.contentType }
