// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"google.golang.org/grpc/codes"

	"edgex-offload/offload"
	"edgex-offload/remote/proto"
)

// What an answer may hold; beyond it the whole answer is refused.
const (
	// MaxOutputBytes bounds TaskResponse.output.
	MaxOutputBytes = 1 << 20
	// MaxLabelBytes bounds a label and a model's name.
	MaxLabelBytes = 256
	// MaxObjects bounds the objects of one answer.
	MaxObjects = 1000
	// MaxClasses bounds the classes of one object.
	MaxClasses = 16
	// MaxValues bounds the values of one answer, MaxUnitBytes the unit of each.
	MaxValues    = 1000
	MaxUnitBytes = 32
	// maxCoordinate bounds a pixel coordinate; pictures are far smaller.
	maxCoordinate = 1 << 20
	// maxMessageBytes is how much of a server's own words is kept in an error.
	maxMessageBytes = 512
)

// newReply reads a response to task that came elapsed after the call began.
func newReply(task offload.Task, r *proto.TaskResponse, elapsed time.Duration) (Reply, error) {
	reply := Reply{ProcessedBy: printable(r.GetProcessedBy(), MaxLabelBytes)}
	execution, queue, service := plausibleTimes(r.GetDurationNano(), r.GetQueueNano(), elapsed)
	received, sent, clock := plausibleClock(r.GetReceivedUnixNano(), r.GetSentUnixNano(), elapsed)
	reply.Execution, reply.Queue, reply.Received, reply.Sent = execution, queue, received, sent
	reply.Implausible = !service || !clock
	if r.GetTaskId() != task.ID {
		return reply, &Error{Class: BadAnswer, Reason: fmt.Sprintf("task %s was answered as task_id %s", quote(task.ID), quote(r.GetTaskId()))}
	}
	if !r.GetSuccess() {
		reason := printable(r.GetErrorMessage(), maxMessageBytes)
		if reason == "" {
			reason = "success is false without an error_message"
		}
		return reply, &Error{Class: Failed, Reason: reason}
	}
	answer, err := ParseAnswer(r.GetOutput())
	if err != nil {
		return reply, &Error{Class: BadAnswer, Code: codes.OK, Reason: "output: " + err.Error(), cause: err}
	}
	reply.Answer = answer
	return reply, nil
}

// ParseAnswer reads TaskResponse.output. A JSON object with a "label", "objects" or
// "values" is an Answer. Anything else that is short printable text (a server that knows only the fields
// 1 to 6 may send "cat", or JSON of its own) becomes the label, with no confidence. What
// is neither, or beyond the bounds above, is an error.
func ParseAnswer(output []byte) (offload.Answer, error) {
	if len(output) > MaxOutputBytes {
		return offload.Answer{}, fmt.Errorf("%d bytes: allowed is up to %d", len(output), MaxOutputBytes)
	}
	output = bytes.TrimSpace(output)
	if len(output) == 0 {
		return offload.Answer{}, errors.New("empty: allowed is JSON with a label, or text")
	}
	var known struct {
		Label   *json.RawMessage `json:"label"`
		Objects *json.RawMessage `json:"objects"`
		Values  *json.RawMessage `json:"values"`
	}
	if output[0] != '{' || json.Unmarshal(output, &known) != nil || known.Label == nil && known.Objects == nil && known.Values == nil {
		return textAnswer(output)
	}
	var answer offload.Answer
	if err := json.Unmarshal(output, &answer); err != nil {
		return offload.Answer{}, fmt.Errorf("JSON: %w", err)
	}
	return answer, CheckAnswer(answer)
}

func textAnswer(output []byte) (offload.Answer, error) {
	var label string
	if json.Unmarshal(output, &label) != nil { // a JSON string stands for its text
		label = string(output)
	}
	if err := checkName("text", label, true); err != nil {
		return offload.Answer{}, fmt.Errorf("neither JSON with a label nor a short text: %w", err)
	}
	return offload.Answer{Label: label}, nil
}

// CheckAnswer names the field of an answer that is out of bounds, its value and what is
// allowed. The server checks what its models say, the client what a server says.
func CheckAnswer(a offload.Answer) error {
	if err := errors.Join(checkName("label", a.Label, false), checkName("model", a.Model, false),
		checkNumber("confidence", a.Confidence, 0, 1)); err != nil {
		return err
	}
	if len(a.Objects) > MaxObjects {
		return fmt.Errorf("%d objects: allowed is up to %d", len(a.Objects), MaxObjects)
	}
	for i, o := range a.Objects {
		err := errors.Join(checkName("label", o.Label, false), checkNumber("confidence", o.Confidence, 0, 1),
			checkNumber("x", o.X, -maxCoordinate, maxCoordinate), checkNumber("y", o.Y, -maxCoordinate, maxCoordinate),
			checkNumber("w", o.W, 0, maxCoordinate), checkNumber("h", o.H, 0, maxCoordinate), checkClasses(o.Classes))
		if err != nil {
			return fmt.Errorf("objects[%d]: %w", i, err)
		}
	}
	return checkValues(a.Values)
}

func checkValues(values []offload.Value) error {
	if len(values) > MaxValues {
		return fmt.Errorf("%d values: allowed is up to %d", len(values), MaxValues)
	}
	for i, v := range values {
		err := errors.Join(checkName("label", v.Label, true), checkName("unit", v.Unit, false))
		switch {
		case err != nil:
		case math.IsNaN(v.Value) || math.IsInf(v.Value, 0):
			err = fmt.Errorf("value %v: allowed is a finite number", v.Value)
		case len(v.Unit) > MaxUnitBytes:
			err = fmt.Errorf("unit of %d bytes: allowed is up to %d", len(v.Unit), MaxUnitBytes)
		}
		if err != nil {
			return fmt.Errorf("values[%d]: %w", i, err)
		}
	}
	return nil
}

func checkClasses(classes []offload.Class) error {
	if len(classes) > MaxClasses {
		return fmt.Errorf("%d classes: allowed is up to %d", len(classes), MaxClasses)
	}
	for i, c := range classes {
		err := errors.Join(checkName("stage", c.Stage, false), checkName("label", c.Label, false),
			checkName("model", c.Model, false), checkNumber("confidence", c.Confidence, 0, 1))
		if err != nil {
			return fmt.Errorf("classes[%d]: %w", i, err)
		}
	}
	return nil
}

func checkName(field, value string, needed bool) error {
	switch {
	case needed && value == "":
		return fmt.Errorf("%s is empty", field)
	case len(value) > MaxLabelBytes:
		return fmt.Errorf("%s of %d bytes: allowed is up to %d", field, len(value), MaxLabelBytes)
	case !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
		return fmt.Errorf("%s %s: allowed is UTF-8 without control characters", field, quote(value))
	}
	return nil
}

func checkNumber(field string, value float32, low, high float64) error {
	if v := float64(value); math.IsNaN(v) || v < low || v > high {
		return fmt.Errorf("%s %v: allowed is %v to %v", field, value, low, high)
	}
	return nil
}

// printable cuts a server's words to most bytes of UTF-8 without control characters.
func printable(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most] + "…"
}
