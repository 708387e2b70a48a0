// SPDX-License-Identifier: Apache-2.0

package functions

import (
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/edgexfoundry/app-functions-sdk-go/v3/pkg/interfaces"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos"

	"edgex-offload/offload"
)

// The tags that a source may set on a reading or on its event, all as strings or numbers.
const (
	TagSeq      = "seq"      // counts the source's readings
	TagCaptured = "captured" // capture time, nanoseconds since 1970
	TagShape    = "shape"    // dimensions of raw values, as in "3x1024"
	TagTruth    = "truth"    // ground truth of a demonstration source, for scoring alone
)

const maxTag = 256 // bytes of one tag's value

// Limits bound what DecodeEvent takes.
type Limits struct {
	// MessageBytes is the largest message, PayloadBytes the largest value of a reading.
	MessageBytes, PayloadBytes int
	// Decoding is how many messages may be decoded at once; a burst beyond is dropped.
	Decoding int
}

// DefaultLimits suit camera frames of up to 4 MB.
func DefaultLimits() Limits {
	return Limits{MessageBytes: 8 << 20, PayloadBytes: 4 << 20, Decoding: 64}
}

// Decoder makes tasks of events.
type Decoder struct {
	limits   Limits
	now      func() time.Time
	reader   eventReader
	rules    atomic.Pointer[Rules]
	decoding atomic.Int64
	passed   counts
}

// NewDecoder returns a Decoder; now tells the time (time.Now).
func NewDecoder(rules Rules, limits Limits, now func() time.Time) (*Decoder, error) {
	reader, err := newEventReader()
	if err != nil {
		return nil, err
	}
	d := &Decoder{limits: limits, now: now, reader: reader}
	d.SetRules(rules)
	return d, nil
}

// SetRules takes over new rules for the messages that come from now on.
func (d *Decoder) SetRules(rules Rules) { d.rules.Store(&rules) }

// Rules are those that hold.
func (d *Decoder) Rules() Rules { return *d.rules.Load() }

// Passed counts what did not become a task, by reason.
func (d *Decoder) Passed() map[string]uint64 { return d.passed.all() }

// DecodeEvent is a pipeline function. It takes an event (dtos.Event) or the bytes of a
// message in the context's content type, and passes on a []Job, one for each reading
// that a rule names. It ends the pipeline, without an error, when there is none: what
// was passed over is counted, and told in the log ever more rarely.
func (d *Decoder) DecodeEvent(ctx interfaces.AppFunctionContext, data any) (bool, any) {
	if d.decoding.Add(1) > int64(d.limits.Decoding) {
		d.decoding.Add(-1)
		d.pass(ctx, PassedBusy, fmt.Errorf("more than %d messages at once", d.limits.Decoding))
		return false, nil
	}
	defer d.decoding.Add(-1)

	event, reason, err := d.event(ctx, data)
	if err != nil {
		d.pass(ctx, reason, err)
		return false, nil
	}
	ctx.AddValue(interfaces.DEVICENAME, event.DeviceName)
	ctx.AddValue(interfaces.PROFILENAME, event.ProfileName)
	ctx.AddValue(interfaces.SOURCENAME, event.SourceName)
	jobs := d.jobs(ctx, event)
	if len(jobs) == 0 {
		return false, nil
	}
	return true, jobs
}

// event returns what came as an event, or the reason for passing it over.
func (d *Decoder) event(ctx interfaces.AppFunctionContext, data any) (event dtos.Event, reason string, err error) {
	switch data := data.(type) {
	case dtos.Event:
		event, err = data, checkEvent(data)
	case []byte:
		if len(data) > d.limits.MessageBytes {
			return event, PassedTooLarge, fmt.Errorf("message of %d bytes: allowed are %d", len(data), d.limits.MessageBytes)
		}
		event, err = d.reader.read(data, ctx.InputContentType())
	default:
		err = fmt.Errorf("data of type %T: allowed are dtos.Event and []byte", data)
	}
	if err == nil && event.SourceName == OutcomeSource {
		return event, PassedOutcome, errors.New("an outcome came back")
	}
	return event, PassedMalformed, err
}

func (d *Decoder) jobs(ctx interfaces.AppFunctionContext, event dtos.Event) []Job {
	rules := *d.rules.Load()
	var jobs []Job
	for i := range event.Readings {
		reading := event.Readings[i]
		rule, ok := rules.Find(event.ProfileName, event.DeviceName, reading.ResourceName)
		if !ok {
			d.pass(ctx, unnamed(reading.ResourceName), fmt.Errorf("no task rule for device %q, profile %q, resource %q", event.DeviceName, event.ProfileName, reading.ResourceName))
			continue
		}
		job, err := d.job(event, reading, rule)
		if err != nil {
			d.pass(ctx, passReason(err), fmt.Errorf("device %q, resource %q: %w", event.DeviceName, reading.ResourceName, err))
			continue
		}
		jobs = append(jobs, job)
	}
	return jobs
}

// unnamed is why a reading that no rule names is passed over. What the shipped profiles say of
// a device itself comes with every device, and is no sign of a rule that lacks.
func unnamed(resource string) string {
	if resource == "Status" || resource == "Models" {
		return PassedState
	}
	return PassedUnknown
}

func (d *Decoder) job(event dtos.Event, reading dtos.BaseReading, rule Rule) (Job, error) {
	tag := func(key string) string { return tagOf(event, reading, key) }
	seq, captured := tag(TagSeq), tag(TagCaptured)
	value, err := payloadOf(reading, tag(TagShape), d.limits.PayloadBytes)
	if err != nil {
		return Job{}, err
	}
	source := event.DeviceName + "/" + reading.ResourceName
	created := d.created(captured, reading.Origin)
	task := offload.Task{
		ID:             taskID(event, reading),
		Kind:           rule.Kind,
		Priority:       rule.Priority,
		Source:         source,
		Model:          rule.Model,
		Payload:        value.bytes,
		Created:        created,
		Context:        map[string]string{"content-type": value.contentType, "source": source},
		ExpectedLocal:  rule.ExpectedLocal,
		ExpectedRemote: rule.ExpectedRemote,
		Private:        rule.Private,
		FeaturesOnly:   rule.FeaturesOnly,
		Truth:          tag(TagTruth),
	}
	if rule.Model != "" {
		task.Context["model"] = rule.Model
	}
	if value.shape != "" {
		task.Context["shape"] = value.shape
	}
	if rule.Deadline > 0 {
		task.Deadline = created.Add(rule.Deadline)
	}
	return Job{Task: task, Cascade: rule.Cascade, From: Origin{event.ProfileName, event.DeviceName, reading.ResourceName, seq, captured}}, nil
}

// created is the capture time: the tag's, else the reading's origin, else now. A time
// that is still to come is a clock that runs ahead, and counts as now.
func (d *Decoder) created(captured string, origin int64) time.Time {
	now := d.now()
	nanos, err := strconv.ParseInt(captured, 10, 64)
	if err != nil || nanos <= 0 {
		nanos = origin
	}
	if nanos <= 0 || nanos > now.UnixNano() {
		return now
	}
	return time.Unix(0, nanos)
}

// taskID is the reading's id, which is unique, or one made of the event's.
func taskID(event dtos.Event, reading dtos.BaseReading) string {
	id := reading.Id
	if id == "" {
		id = event.Id + "/" + reading.ResourceName
	}
	return id[:min(len(id), maxName)]
}

// tagOf returns a reading's tag as a string, else its event's: the device SDK moves the
// tags of a value that it publishes to the event. "" where there is none or none that fits.
func tagOf(event dtos.Event, reading dtos.BaseReading, key string) string {
	raw, ok := reading.Tags[key]
	if !ok {
		raw = event.Tags[key]
	}
	var text string
	switch value := raw.(type) {
	case string:
		text = value
	case float64: // a number in JSON
		text = strconv.FormatFloat(value, 'f', -1, 64)
	case uint64, int64: // a number in CBOR
		text = fmt.Sprint(value)
	}
	if len(text) > maxTag {
		return ""
	}
	return text
}

func passReason(err error) string {
	switch {
	case errors.Is(err, errUnsupported):
		return PassedUnsupported
	case errors.Is(err, errTooLarge):
		return PassedTooLarge
	}
	return PassedMalformed
}

func (d *Decoder) pass(ctx interfaces.AppFunctionContext, reason string, err error) {
	log := ctx.LoggingClient().Warnf
	if reason == PassedUnknown || reason == PassedState {
		log = ctx.LoggingClient().Debugf // a device's other resources share the topic
	}
	if n := d.passed.add(reason); worthALine(n) {
		log("Pipeline (%s) passed over %d by now as %s, the latest: %s", ctx.PipelineId(), n, reason, err.Error())
	}
}
