// SPDX-License-Identifier: Apache-2.0

package functions

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"strings"
	"testing"

	"github.com/edgexfoundry/app-functions-sdk-go/v3/pkg/interfaces"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/common"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos/requests"
	"github.com/stretchr/testify/require"

	"edgex-offload/offload"
)

// bus is a context that keeps what is published.
type bus struct {
	interfaces.AppFunctionContext
	fails  error
	topics []string
	events []dtos.Event
}

func (b *bus) PublishWithTopic(topic string, data any, contentType string) error {
	if b.fails != nil {
		return b.fails
	}
	if contentType != common.ContentTypeJSON {
		return errors.New("content type " + contentType)
	}
	// As the SDK does, and as core-data then reads and checks it.
	payload, err := json.Marshal(data)
	if err != nil {
		return err
	}
	var request requests.AddEventRequest
	if err := json.Unmarshal(payload, &request); err != nil {
		return err
	}
	b.topics, b.events = append(b.topics, topic), append(b.events, request.Event)
	return nil
}

func result() Result {
	right := true
	return Result{
		From: Origin{Profile: "offload-camera", Device: "camera-1", Resource: "Frame", Seq: "7", Captured: "1767323044895000000"},
		Outcome: offload.Outcome{
			Answer: &offload.Answer{Label: "scratch", Confidence: .875, Model: "surface-small/1"},
			Record: offload.Record{TaskID: "id-1", Route: "cloud", LatencyMs: 12.5, DeadlineMet: true, Truth: "scratch", Correct: &right},
		},
	}
}

func publishOne(t *testing.T, p *Publisher, r Result) *bus {
	b := &bus{AppFunctionContext: testContext()}
	more, data := p.PublishOutcome(b, []Result{r})
	require.True(t, more)
	require.Equal(t, []Result{r}, data, "passed on")
	return b
}

func values(event dtos.Event) map[string]string {
	all := map[string]string{}
	for _, r := range event.Readings {
		all[r.ResourceName] = r.ValueType + " " + r.Value
	}
	return all
}

func TestPublishOutcome(t *testing.T) {
	p := NewPublisher("app-offload", false)
	b := publishOne(t, p, result())
	require.Equal(t, []string{"events/device/app-offload/offload-camera/camera-1/Outcome"}, b.topics)
	event := b.events[0]
	require.Equal(t, []string{"camera-1", "offload-camera", "Outcome"}, []string{event.DeviceName, event.ProfileName, event.SourceName})
	require.Equal(t, map[string]string{
		"Label": "String scratch", "Confidence": "Float32 8.750000e-01", "Route": "String cloud", "LatencyMs": "Float64 1.250000e+01",
		"Reason": "String ", "DeadlineMet": "Bool true", "Objects": "String []", "TaskId": "String id-1",
	}, values(event))
	require.Equal(t, dtos.Tags{"seq": "7", "captured": "1767323044895000000", "truth": "scratch", "correct": "true"}, event.Tags)
	require.Equal(t, map[string]uint64{Published: 1}, p.Counts())
}

func TestPublishOutcomeWithoutTruthHasNoScore(t *testing.T) {
	r := result()
	r.Outcome.Record.Truth, r.Outcome.Record.Correct = "", nil
	event := publishOne(t, NewPublisher("app-offload", false), r).events[0]
	require.NotContains(t, event.Tags, "truth")
	require.NotContains(t, event.Tags, "correct")
}

func TestPublishOutcomeWithoutResult(t *testing.T) {
	r := result()
	r.Outcome = offload.Outcome{Reason: offload.Superseded, Record: offload.Record{TaskID: "id-2", Reason: offload.Superseded}}
	p := NewPublisher("app-offload", false)
	require.Empty(t, publishOne(t, p, r).events)
	require.Equal(t, map[string]uint64{PublishWithheld: 1}, p.Counts())

	p.PublishWithoutResult(true)
	event := publishOne(t, p, r).events[0]
	require.Equal(t, "String none", values(event)["Route"])
	require.Equal(t, "String superseded", values(event)["Reason"])
	require.Equal(t, "Bool false", values(event)["DeadlineMet"])
}

func TestPublishOutcomeObjects(t *testing.T) {
	r := result()
	for range maxObjects + 1 {
		r.Outcome.Answer.Objects = append(r.Outcome.Answer.Objects, offload.Object{Label: "face", Confidence: .5, W: 10, H: 20})
	}
	var objects []offload.Object
	event := publishOne(t, NewPublisher("app-offload", false), r).events[0]
	require.NoError(t, json.Unmarshal([]byte(strings.TrimPrefix(values(event)["Objects"], "String ")), &objects))
	require.Len(t, objects, maxObjects)
	require.Equal(t, r.Outcome.Answer.Objects[0], objects[0])
}

// A cascade says what its stages came to, and which lacks a result.
func TestPublishOutcomeOfACascade(t *testing.T) {
	r := result()
	r.Outcome.Record.Route = offload.Mixed
	r.Outcome.Record.Stages = []offload.StageView{
		{Name: "faces", Does: "detect", EndedMs: 10, Routes: map[string]int{"local": 1}}, {Name: "who", Does: "classify"},
	}
	r.Outcome.Answer.Objects = []offload.Object{{Label: "face", Classes: []offload.Class{{Stage: "who", Label: "ann", Confidence: .5}}}}
	got := values(publishOne(t, NewPublisher("app-offload", false), r).events[0])
	require.Equal(t, `String [{"name":"faces","does":"detect","startedMs":0,"endedMs":10,"routes":{"local":1}},{"name":"who","does":"classify","startedMs":0,"endedMs":0}]`, got["Stages"])
	require.Contains(t, got["Objects"], `"classes":[{"stage":"who","label":"ann","confidence":0.5,"model":""}]`)
	require.Equal(t, []string{"String mixed", "String "}, []string{got["Route"], got["Reason"]})

	r.Outcome.Record.Stages[1].Reason = offload.Shed
	got = values(publishOne(t, NewPublisher("app-offload", false), r).events[0])
	require.Equal(t, "String who: shed", got["Reason"])

	r.Outcome.Answer, r.Outcome.Reason = nil, offload.Shed
	got = values(publishOne(t, NewPublisher("app-offload", true), r).events[0])
	require.Equal(t, []string{"String none", "String shed"}, []string{got["Route"], got["Reason"]})
}

func TestPublishOutcomeValues(t *testing.T) {
	r := result()
	r.Outcome.Answer.Values = []offload.Value{
		{Label: "wear", Value: .25, Unit: "mm"},
		{Label: "angle", Value: -3},
		{Label: "Route", Value: 1}, // the event's own
		{Label: "wear", Value: 2},  // twice
	}
	event := publishOne(t, NewPublisher("app-offload", false), r).events[0]
	got := values(event)
	require.Equal(t, `String [{"label":"wear","value":0.25,"unit":"mm"},{"label":"angle","value":-3},{"label":"Route","value":1},{"label":"wear","value":2}]`, got["Values"])
	require.Equal(t, "Float64 2.500000e-01", got["wear"])
	require.Equal(t, "Float64 -3.000000e+00", got["angle"])
	require.Equal(t, "String cloud", got["Route"])
	require.Len(t, event.Readings, 11)
	require.Equal(t, "mm", event.Readings[9].Units)

	for i := range 100 {
		r.Outcome.Answer.Values = append(r.Outcome.Answer.Values, offload.Value{Label: fmt.Sprint("v", i)})
	}
	event = publishOne(t, NewPublisher("app-offload", false), r).events[0]
	require.Len(t, event.Readings, 8+1+maxValues-2)
}

func TestPublishOutcomeGoesOnWhenTheBusDoesNot(t *testing.T) {
	p := NewPublisher("app-offload", false)
	b := &bus{AppFunctionContext: testContext(), fails: errors.New("not connected")}
	broken := result()
	broken.Outcome.Answer.Objects = []offload.Object{{X: float32(math.NaN())}}
	more, _ := p.PublishOutcome(b, []Result{result(), broken})
	require.True(t, more)
	require.Equal(t, map[string]uint64{PublishFailed: 2}, p.Counts())

	p.publishing.Add(maxPublishing)
	_, _ = p.PublishOutcome(b, []Result{result()})
	require.Equal(t, uint64(1), p.Counts()[PublishBusy])
	require.Equal(t, int64(maxPublishing), p.publishing.Load())

	more, data := p.PublishOutcome(b, 1)
	require.False(t, more)
	require.ErrorContains(t, data.(error), "PublishOutcome got int")
}

// core-data takes an event when the topic's last three levels, unescaped, are its names.
func TestTopicOfUnusualNames(t *testing.T) {
	for _, name := range []string{"camera-1", "Kamera 1", "a/b", "über.cam", "{device}", "a+b#c"} {
		r := result()
		r.From.Device = name
		levels := strings.Split(publishOne(t, NewPublisher("app-offload", false), r).topics[0], "/")
		require.Len(t, levels, 6, name)
		back, err := url.PathUnescape(levels[4])
		require.NoError(t, err)
		require.Equal(t, name, back)
		require.NotContains(t, levels[4], "{", "the SDK would look for a value of that name")
	}
}
