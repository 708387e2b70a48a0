// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"edgex-offload/infer"
	"edgex-offload/offload"
	"edgex-offload/runner"
)

// maxAnswerBytes bounds what is read of a service's answer.
const maxAnswerBytes = 32 << 20

// recordsAtATime is how many decision records are asked for in one go.
const recordsAtATime = 200

// Status is what is used of app-service's status.
type Status struct {
	runner.Status
	Models []infer.Status `json:"models"`
	// PassedOver counts what came from the bus and became no task, by reason.
	PassedOver map[string]int `json:"passedOver"`
}

// Frames counts the events of the device service on the bus, Events those of outcomes.
func (s *Stack) Frames() int { return int(s.frames.Load()) }

// Events counts the outcome events on the bus.
func (s *Stack) Events() int { return int(s.events.Load()) }

// DeviceURL, AppURL and MetadataURL are where the services' HTTP APIs are.
func (s *Stack) DeviceURL() string { return s.url(s.at.device, "") }

// AppURL is app-service's.
func (s *Stack) AppURL() string { return s.url(s.at.app, "") }

// MetadataURL is that of the development core-metadata.
func (s *Stack) MetadataURL() string { return s.url(s.at.metadata, "") }

// Status asks app-service how everything stands.
func (s *Stack) Status(ctx context.Context) (Status, error) {
	var status Status
	err := s.get(ctx, s.url(s.at.app, "/api/v3/offload/status"), &status)
	return status, err
}

// Records are the decision records after a sequence number, oldest first; missed is how
// many the app service no longer had.
func (s *Stack) Records(ctx context.Context, after uint64) (records []offload.Record, missed uint64, err error) {
	for {
		var answer struct {
			Decisions []offload.Record `json:"decisions"`
		}
		url := s.url(s.at.app, "/api/v3/offload/decisions?limit="+strconv.Itoa(recordsAtATime)+"&after="+strconv.FormatUint(after, 10))
		if err := s.get(ctx, url, &answer); err != nil {
			return records, missed, err
		}
		for _, r := range answer.Decisions {
			missed += r.Seq - after - 1
			after = r.Seq
		}
		records = append(records, answer.Decisions...)
		if len(answer.Decisions) < recordsAtATime {
			return records, missed, nil
		}
	}
}

// loadModels waits until no model loads any more, and tells what became of them.
func (s *Stack) loadModels(ctx context.Context) error {
	box, err := s.models(ctx, AppService, s.url(s.at.app, "/api/v3/offload/status"))
	if err != nil {
		return err
	}
	cloud, err := s.models(ctx, CloudService, s.url(s.at.cloudHTTP, "/healthz"))
	if err != nil {
		return err
	}
	if len(box) == 0 && len(cloud) == 0 {
		return errors.New("models: none is ready, neither on the box nor in the cloud; their logs in the run directory say why")
	}
	s.options.Progress("models on the box: %s; in the cloud: %s", names(box), names(cloud))
	return nil
}

// models of a service that are ready, when none loads any more.
func (s *Stack) models(ctx context.Context, service, url string) ([]infer.Status, error) {
	var ready []infer.Status
	var failed []string
	err := s.child(service).Ready(ctx, modelsLimit, func(ctx context.Context) error {
		var answer struct {
			Models []infer.Status `json:"models"`
		}
		if err := s.get(ctx, url, &answer); err != nil {
			return err
		}
		ready, failed = nil, nil
		for _, m := range answer.Models {
			switch m.State {
			case infer.Loading:
				return fmt.Errorf("model %s is loading", m.Variant())
			case infer.Ready:
				ready = append(ready, m)
			case infer.Failed:
				failed = append(failed, m.Variant()+": "+m.Error)
			}
		}
		if len(answer.Models) == 0 {
			return errors.New("no model found yet")
		}
		return nil
	})
	for _, why := range failed {
		s.options.Progress("%s cannot run model %s", service, why)
	}
	return ready, err
}

func names(models []infer.Status) string {
	var all []string
	for _, m := range models {
		all = append(all, fmt.Sprintf("%s (%s, accuracy %.3g, %.3g ms)", m.Variant(), m.Serves, m.Accuracy, m.ServiceMs))
	}
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, ", ")
}

// get asks for JSON; into may be nil.
func (s *Stack) get(ctx context.Context, url string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", url, err)
	}
	response, err := s.http.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err != nil {
		return fmt.Errorf("%s: %w", url, err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %.200s", url, response.Status, body)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%s: %w", url, err)
	}
	return nil
}
