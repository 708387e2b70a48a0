// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"fmt"
	"strings"
	"time"
)

// Kind says what is asked of a task. The numbers are those of
// edge_ai.TaskType on the wire and never change.
type Kind int32

// The kinds of task. The first three are fixed by the wire's first definition,
// the later ones are additions that an older peer refuses by number.
const (
	ImageClassification  Kind = 0
	ObjectDetection      Kind = 1
	NLPAnalysis          Kind = 2
	SignalClassification Kind = 3
	AnomalyDetection     Kind = 4
	Regression           Kind = 5
)

var kindNames = []string{
	"IMAGE_CLASSIFICATION", "OBJECT_DETECTION", "NLP_ANALYSIS", "SIGNAL_CLASSIFICATION", "ANOMALY_DETECTION", "REGRESSION",
}

// String is the kind's name on the wire, for example "OBJECT_DETECTION".
func (k Kind) String() string { return nameOf(kindNames, int(k), "TYPE") }

// ParseKind reads a kind's name, in any case. The error lists what is allowed.
func ParseKind(name string) (Kind, error) {
	i, err := parseName("task type", kindNames, name)
	return Kind(i), err
}

// Priority orders tasks; a higher number is more important. The numbers are
// those of edge_ai.Priority on the wire.
type Priority int32

// The priorities.
const (
	Low      Priority = 0
	Medium   Priority = 1
	High     Priority = 2
	Critical Priority = 3
)

// Priorities is how many there are.
const Priorities = 4

var priorityNames = []string{"LOW", "MEDIUM", "HIGH", "CRITICAL"}

// String is the priority's name on the wire, for example "CRITICAL".
func (p Priority) String() string { return nameOf(priorityNames, int(p), "PRIORITY") }

// ParsePriority reads a priority's name, in any case. The error lists what is allowed.
func ParsePriority(name string) (Priority, error) {
	i, err := parseName("priority", priorityNames, name)
	return Priority(i), err
}

// Task is one unit of work: one frame, one sensor window, one text.
// It is not changed once it was handed over, so it may be shared.
type Task struct {
	ID       string
	Kind     Kind
	Priority Priority
	// Source names where the task comes from, as "device/resource". A newer task of
	// a source supersedes an older one that still waits.
	Source string
	// Model names what answers the task, across all its variants ("surface").
	Model string
	// Payload is the encoded input: a JPEG or PNG, float32 values (little endian),
	// or UTF-8 text, as Context["content-type"] says.
	Payload []byte
	Created time.Time
	// Deadline is when the result is worth nothing any more; zero means never.
	Deadline time.Time
	// Context travels to the remote side. It never holds the ground truth.
	Context map[string]string
	// Private: it never leaves the box.
	Private bool
	// FeaturesOnly: its payload never leaves the box as it is; what the head of a split model
	// makes of it may.
	FeaturesOnly bool
	// ExpectedLocal and ExpectedRemote are the execution times on the box at full speed and on
	// the best remote target, without queue or network: measured where known, else as
	// configured, else zero for unknown.
	ExpectedLocal, ExpectedRemote time.Duration
	// Truth is the ground truth of a demonstration source. It is for scoring the answer
	// alone: package runner takes it off before a task reaches a model or a wire.
	Truth string
}

// Answer is what a model says of a task. It is also the JSON in TaskResponse.output.
type Answer struct {
	// Label is the best class, or the label of the best object; "" when nothing was found,
	// and for a regression, which has Values alone.
	Label string `json:"label"`
	// Confidence is the probability of Label, 0 to 1. Of an anomaly's score, which is no
	// probability, it says how far the score is from the threshold: 0.5 is at it.
	Confidence float32 `json:"confidence"`
	// Objects are what a detector found, best first; nil for a classifier.
	Objects []Object `json:"objects,omitempty"`
	// Values are the numbers of a regression, or an anomaly's score; nil for the others. A
	// peer that knows nothing of them passes them over.
	Values []Value `json:"values,omitempty"`
	// Model is the variant that answered, as "name/version" of the model repository.
	Model string `json:"model"`
	// Features are the encoded tensors that the head of a split network gives instead of the
	// rest; they are the payload for its tail.
	Features []byte `json:"-"`
}

// Object is one detected object. X, Y (top left corner), W and H are in pixels of
// the picture that was sent.
type Object struct {
	Label      string  `json:"label"`
	Confidence float32 `json:"confidence"`
	X          float32 `json:"x"`
	Y          float32 `json:"y"`
	W          float32 `json:"w"`
	H          float32 `json:"h"`
	// Classes are what classifiers said of the part of the picture in the box, one for each
	// stage of a cascade that looked at it; nil for none.
	Classes []Class `json:"classes,omitempty"`
}

// Class is what one classifier said of an object.
type Class struct {
	// Stage names the one of the cascade that said it.
	Stage      string  `json:"stage"`
	Label      string  `json:"label"`
	Confidence float32 `json:"confidence"`
	// Model is the variant that answered, as "name/version".
	Model string `json:"model"`
}

// Value is one number that a model says of a task.
type Value struct {
	// Label names it, as the model's labels do.
	Label string  `json:"label"`
	Value float64 `json:"value"`
	// Unit as in "mm"; "" for none.
	Unit string `json:"unit,omitempty"`
}

func nameOf(names []string, i int, what string) string {
	if i >= 0 && i < len(names) {
		return names[i]
	}
	return fmt.Sprintf("%s_%d", what, i)
}

func parseName(what string, names []string, name string) (int, error) {
	for i, n := range names {
		if strings.EqualFold(n, name) {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%s %q: allowed are %s", what, name, strings.Join(names, ", "))
}
