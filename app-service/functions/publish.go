// SPDX-License-Identifier: Apache-2.0

package functions

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/edgexfoundry/app-functions-sdk-go/v3/pkg/interfaces"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/common"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos/requests"

	"edgex-offload/offload"
)

// OutcomeSource is the source name of outcome events.
const OutcomeSource = "Outcome"

// The readings of an outcome event; device profiles declare them as hidden resources.
const (
	ResourceLabel       = "Label"       // String: the best class or object, "" for none
	ResourceConfidence  = "Confidence"  // Float32: of the label, 0 to 1
	ResourceRoute       = "Route"       // String: local, a target's name, or none
	ResourceLatencyMs   = "LatencyMs"   // Float64: from capture to the outcome
	ResourceReason      = "Reason"      // String: why there is no result, else ""
	ResourceDeadlineMet = "DeadlineMet" // Bool
	ResourceObjects     = "Objects"     // String: JSON array of what a detector found
	ResourceTaskID      = "TaskId"      // String
	// ResourceStages is there for a cascade alone.
	ResourceStages = "Stages" // String: JSON array of what each stage came to
)

// RouteNone is the Route of an outcome without a result; offload.Mixed that of a cascade whose
// stages were answered in different places.
const RouteNone = "none"

const (
	maxPublishing = 64  // outcomes that wait for the bus at once
	maxObjects    = 100 // in one event
)

func outcomeResources() []string {
	return []string{
		ResourceLabel, ResourceConfidence, ResourceRoute, ResourceLatencyMs,
		ResourceReason, ResourceDeadlineMet, ResourceObjects, ResourceTaskID, ResourceStages, ResourceValues,
	}
}

// Publisher puts outcomes on the EdgeX bus.
type Publisher struct {
	serviceKey    string
	withoutResult atomic.Bool
	publishing    atomic.Int64
	counts        counts
}

// NewPublisher returns a Publisher for a service of that key. withoutResult says
// whether outcomes that have no result are published too.
func NewPublisher(serviceKey string, withoutResult bool) *Publisher {
	p := &Publisher{serviceKey: serviceKey}
	p.PublishWithoutResult(withoutResult)
	return p
}

// PublishWithoutResult changes what NewPublisher was given.
func (p *Publisher) PublishWithoutResult(on bool) { p.withoutResult.Store(on) }

// Counts tells what became of the outcomes: published, failed, withheld, busy.
func (p *Publisher) Counts() map[string]uint64 { return p.counts.all() }

// PublishOutcome is a pipeline function. It takes a []Result, publishes each as an
// AddEventRequest under the source's device and profile, on the topic
// events/device/<service>/<profile>/<device>/Outcome, and passes the results on. An
// event that the bus does not take is counted, and the pipeline goes on.
func (p *Publisher) PublishOutcome(ctx interfaces.AppFunctionContext, data any) (bool, any) {
	results, ok := data.([]Result)
	if !ok {
		return false, fmt.Errorf("PublishOutcome got %T: allowed is []functions.Result, from Offload", data)
	}
	for _, result := range results {
		way, err := p.publish(ctx, result)
		if n := p.counts.add(way); err != nil && worthALine(n) {
			ctx.LoggingClient().Errorf("Pipeline (%s) outcomes not published: %d by now, the latest: %s", ctx.PipelineId(), n, err.Error())
		}
	}
	return true, results
}

func (p *Publisher) publish(ctx interfaces.AppFunctionContext, result Result) (way string, err error) {
	if result.Outcome.Answer == nil && !p.withoutResult.Load() {
		return PublishWithheld, nil
	}
	event, err := outcomeEvent(result)
	if err != nil {
		return PublishFailed, err
	}
	if p.publishing.Add(1) > maxPublishing {
		p.publishing.Add(-1)
		return PublishBusy, fmt.Errorf("%d already wait for the message bus", maxPublishing)
	}
	defer p.publishing.Add(-1)
	// PublishWithTopic takes a struct and makes JSON of it, whatever the content type.
	if err := ctx.PublishWithTopic(p.topic(result.From), requests.NewAddEventRequest(event), common.ContentTypeJSON); err != nil {
		return PublishFailed, fmt.Errorf("publishing the outcome of device %q: %w", result.From.Device, err)
	}
	return Published, nil
}

func (p *Publisher) topic(from Origin) string {
	return common.BuildTopic(common.EventsPublishTopic, "device", p.serviceKey,
		topicLevel(from.Profile), topicLevel(from.Device), OutcomeSource)
}

// topicLevel is a name as one level of a topic. EdgeX services compare it with the name
// after unescaping, so that only a name with other characters than the usual needs it.
func topicLevel(name string) string {
	unusual := func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_~:;=", r)
	}
	if strings.ContainsFunc(name, unusual) {
		return common.URLEncode(name)
	}
	return name
}

// outcomeEvent has flat readings: SQL rules and the UI can use no others.
func outcomeEvent(result Result) (dtos.Event, error) {
	event := dtos.NewEvent(result.From.Profile, result.From.Device, OutcomeSource)
	record, answer, route := result.Outcome.Record, result.Outcome.Answer, result.Outcome.Record.Route
	if answer == nil {
		answer, route = &offload.Answer{}, RouteNone
	}
	stages, err := json.Marshal(record.Stages)
	if err != nil {
		return event, fmt.Errorf("stages of task %s: %w", record.TaskID, err)
	}
	objects, err := json.Marshal(append([]offload.Object{}, answer.Objects[:min(len(answer.Objects), maxObjects)]...))
	if err != nil {
		return event, fmt.Errorf("objects of task %s: %w", record.TaskID, err)
	}
	for _, r := range []struct {
		resource, valueType string
		value               any
	}{
		{ResourceLabel, common.ValueTypeString, answer.Label},
		{ResourceConfidence, common.ValueTypeFloat32, answer.Confidence},
		{ResourceRoute, common.ValueTypeString, route},
		{ResourceLatencyMs, common.ValueTypeFloat64, record.LatencyMs},
		{ResourceReason, common.ValueTypeString, reasonOf(result.Outcome)},
		{ResourceDeadlineMet, common.ValueTypeBool, record.DeadlineMet},
		{ResourceObjects, common.ValueTypeString, string(objects)},
		{ResourceTaskID, common.ValueTypeString, record.TaskID},
		{ResourceStages, common.ValueTypeString, string(stages)},
	} {
		if r.resource == ResourceStages && len(record.Stages) == 0 {
			continue
		}
		if err := event.AddSimpleReading(r.resource, r.valueType, r.value); err != nil {
			return event, fmt.Errorf("reading %s of task %s: %w", r.resource, record.TaskID, err)
		}
	}
	if err := addValues(&event, answer.Values); err != nil {
		return event, fmt.Errorf("task %s: %w", record.TaskID, err)
	}
	event.Tags = outcomeTags(result)
	return event, nil
}

// reasonOf is why there is no result, or which stage of a cascade lacks one, as in "who: shed".
func reasonOf(o offload.Outcome) string {
	if s := o.Record.Unfinished(); s != nil && o.Answer != nil {
		return s.Name + ": " + string(s.Reason)
	}
	return string(o.Reason)
}

func outcomeTags(result Result) dtos.Tags {
	tags := dtos.Tags{}
	for key, value := range map[string]string{
		TagSeq: result.From.Seq, TagCaptured: result.From.Captured, TagTruth: result.Outcome.Record.Truth,
	} {
		if value != "" {
			tags[key] = value
		}
	}
	if correct := result.Outcome.Record.Correct; correct != nil {
		tags[TagCorrect] = strconv.FormatBool(*correct)
	}
	return tags
}

// TagCorrect is the event tag that says whether the label is the ground truth.
const TagCorrect = "correct"
