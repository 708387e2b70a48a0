// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos/requests"
	"github.com/edgexfoundry/go-mod-messaging/v3/pkg/types"
	"github.com/stretchr/testify/require"

	"edgex-offload/standalone/stack"
)

// outcome is an outcome event as a rule or a dashboard sees it.
type outcome struct {
	device, label, route, reason, taskID, objects string
	confidence, latencyMs                         float64
	deadlineMet                                   bool
	tags                                          map[string]string
}

// listener keeps the outcome events of the bus, and what is wrong with any.
type listener struct {
	mu       sync.Mutex
	outcomes []outcome
	problems []error
	news     chan struct{} // has an element when something is new
}

// listen takes all outcome events from now on.
func listen(t *testing.T, s *stack.Stack) *listener {
	t.Helper()
	l := &listener{news: make(chan struct{}, 1)}
	cancel, err := s.Bus.Subscribe("edgex/events/device/app-offload/#", l.take)
	require.NoError(t, err)
	t.Cleanup(cancel)
	t.Cleanup(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		require.Empty(t, l.problems, "events that core-data would refuse")
	})
	return l
}

func (l *listener) take(topic string, message []byte) {
	o, err := readOutcome(topic, message)
	l.mu.Lock()
	if err != nil {
		l.problems = append(l.problems, fmt.Errorf("%s: %w", topic, err))
	} else {
		l.outcomes = append(l.outcomes, o)
	}
	l.mu.Unlock()
	select {
	case l.news <- struct{}{}:
	default:
	}
}

// readOutcome checks an event as core-data does: the contract's validation, and that the
// topic says what the event says.
func readOutcome(topic string, message []byte) (outcome, error) {
	var envelope types.MessageEnvelope
	if err := json.Unmarshal(message, &envelope); err != nil {
		return outcome{}, err
	}
	var request requests.AddEventRequest
	if err := json.Unmarshal(envelope.Payload, &request); err != nil {
		return outcome{}, err
	}
	if err := request.Validate(); err != nil {
		return outcome{}, err
	}
	event := request.Event
	if want := strings.Join([]string{"edgex/events/device/app-offload", event.ProfileName, event.DeviceName, event.SourceName}, "/"); topic != want {
		return outcome{}, fmt.Errorf("the event belongs on %s", want)
	}
	if event.SourceName != "Outcome" {
		return outcome{}, fmt.Errorf("source %q", event.SourceName)
	}
	return newOutcome(event)
}

func newOutcome(event dtos.Event) (outcome, error) {
	values := map[string]string{}
	for _, r := range event.Readings {
		values[r.ResourceName] = r.Value
	}
	for _, name := range []string{"Label", "Confidence", "Route", "LatencyMs", "Reason", "DeadlineMet", "Objects", "TaskId"} {
		if _, found := values[name]; !found {
			return outcome{}, fmt.Errorf("reading %s is missing", name)
		}
	}
	o := outcome{
		device: event.DeviceName, label: values["Label"], route: values["Route"], reason: values["Reason"],
		taskID: values["TaskId"], objects: values["Objects"], deadlineMet: values["DeadlineMet"] == "true", tags: map[string]string{},
	}
	for key, value := range event.Tags {
		o.tags[key] = fmt.Sprint(value)
	}
	var err error
	if o.confidence, err = strconv.ParseFloat(values["Confidence"], 64); err != nil {
		return outcome{}, fmt.Errorf("reading Confidence: %w", err)
	}
	if o.latencyMs, err = strconv.ParseFloat(values["LatencyMs"], 64); err != nil {
		return outcome{}, fmt.Errorf("reading LatencyMs: %w", err)
	}
	return o, nil
}

// count is how many outcomes there were so far.
func (l *listener) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.outcomes)
}

// wait returns the outcomes after the first skip ones when at least n of them match.
func (l *listener) wait(t *testing.T, what string, skip, n int, match func(outcome) bool) []outcome {
	t.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		l.mu.Lock()
		since := append([]outcome(nil), l.outcomes[min(skip, len(l.outcomes)):]...)
		l.mu.Unlock()
		found := 0
		for _, o := range since {
			if match(o) {
				found++
			}
		}
		if found >= n {
			return since
		}
		select {
		case <-l.news:
		case <-timeout.C:
			t.Fatalf("%s: %d of %d in %s; the last of %d outcomes: %+v", what, found, n, patience, len(since), since[max(0, len(since)-5):])
		}
	}
}

func byRoute(route string) func(outcome) bool {
	return func(o outcome) bool { return o.route == route }
}

func ofDevice(device string) func(outcome) bool {
	return func(o outcome) bool { return o.device == device }
}
