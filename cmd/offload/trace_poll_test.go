// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/runner"
)

// service is an app-service that keeps some measurements.
type service struct {
	mu      sync.Mutex
	samples []runner.LinkSample
	answer  func() (int, string) // in place of them
	asked   int
}

func (s *service) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	status := http.StatusOK
	var body string
	switch q := r.URL.Query(); {
	case s.answer != nil:
		status, body = s.answer()
	case r.URL.Path != "/api/v3/offload/link/samples" || q.Get("target") != "cloud":
		status, body = http.StatusNotFound, `{"apiVersion":"v3","statusCode":404,"message":"no such target"}`
	default:
		after, _ := strconv.ParseUint(q.Get("after"), 10, 64)
		limit, _ := strconv.Atoi(q.Get("limit"))
		list := []runner.LinkSample{}
		for _, one := range s.samples {
			if one.Seq > after && len(list) < limit {
				list = append(list, one)
			}
		}
		text, err := json.Marshal(map[string]any{"apiVersion": "v3", "statusCode": 200, "samples": list})
		if err != nil {
			return nil, err
		}
		body = string(text)
	}
	if status == 0 {
		return nil, errors.New("connection refused")
	}
	return &http.Response{StatusCode: status, Status: fmt.Sprint(status), Body: io.NopCloser(strings.NewReader(body))}, nil
}

// measure adds a round trip now.
func (s *service) measure(ms float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := uint64(1)
	if n := len(s.samples); n > 0 {
		next = s.samples[n-1].Seq + 1
	}
	s.samples = append(s.samples, runner.LinkSample{Seq: next, AtNs: time.Now().UnixNano(), Kind: "rtt", RTTMs: ms})
}

func (s *service) with(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func TestRecordingFromAService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{}
		for range 2500 { // of before, more than a page
			s.measure(999)
			time.Sleep(time.Millisecond)
		}
		p, err := newPoller("http://localhost:59740/", "cloud")
		require.NoError(t, err)
		p.http.Transport = s
		time.Sleep(time.Millisecond)

		go func() { // a minute: it works, starts anew without its numbers, goes on
			for i := range 240 {
				time.Sleep(250 * time.Millisecond)
				switch i {
				case 80:
					s.with(func() { s.samples, s.answer = nil, func() (int, string) { return 0, "" } })
				case 100:
					s.with(func() { s.answer = nil })
				}
				if i < 80 || i >= 100 {
					s.measure(30)
				}
			}
		}()
		got, r, _ := recorded(t.Context(), t, p, recordOptions{length: time.Minute, upKbps: 1, downKbps: 1})
		assert.InDelta(t, 60, lasting(len(got.Slots)).Seconds(), 2)
		assert.Equal(t, 30*time.Millisecond, got.Slots[0].RTT, "nothing of before")
		assert.InDelta(t, 30, got.Figures().RTT.Most, 1e-6)
		assert.InDelta(t, 220, r.grid.answered, 8, "all but what was measured while nobody could ask")
		assert.Zero(t, r.grid.gaps, "five seconds are held")
		time.Sleep(time.Minute) // the service's end
	})
}

func TestAServiceThatAnswersNonsense(t *testing.T) {
	many, err := json.Marshal(map[string]any{"samples": make([]runner.LinkSample, pollLimit+1)})
	require.NoError(t, err)
	for says, answer := range map[string]func() (int, string){
		"connection refused": func() (int, string) { return 0, "" },
		"answers 404: no such target": func() (int, string) {
			return 404, `{"message":"no such target"}`
		},
		"invalid character":                           func() (int, string) { return 200, "<html>" },
		"answers more than 1048576 bytes":             func() (int, string) { return 200, strings.Repeat(" ", mostAnswer+1) },
		"answers 1001 measurements: allowed are 1000": func() (int, string) { return 200, string(many) },
		"answers 502: ":                               func() (int, string) { return 502, "<html>" },
	} {
		synctest.Test(t, func(t *testing.T) {
			p, err := newPoller("http://localhost:59740", "cloud")
			require.NoError(t, err)
			s := &service{answer: answer}
			p.http.Transport = s
			r := newRecording(io.Discard, io.Discard, recordOptions{length: time.Minute, upKbps: 1, downKbps: 1})
			require.ErrorContains(t, r.run(t.Context(), p), says, "at first it is an error")

			s.with(func() { s.answer = nil })
			go func() {
				time.Sleep(10 * time.Second)
				s.with(func() { s.answer = answer })
			}()
			r = newRecording(io.Discard, io.Discard, recordOptions{length: 20 * time.Second, upKbps: 1, downKbps: 1})
			require.NoError(t, r.run(t.Context(), p), "later it may heal")
			assert.Contains(t, p.account(), says)
			assert.Less(t, s.asked, 30, "it is not asked without end")
		})
	}
}

// Whatever order a service tells its measurements in, none counts twice.
func TestAServiceThatRepeatsItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := newPoller("http://localhost:59740", "cloud")
		require.NoError(t, err)
		s := &service{}
		p.http.Transport = s
		go func() {
			time.Sleep(2500 * time.Millisecond)
			at := time.Now().UnixNano()
			s.with(func() {
				s.answer = func() (int, string) {
					return 200, fmt.Sprintf(`{"samples":[{"seq":2,"atNs":%d,"kind":"rtt","rttMs":5},{"seq":1,"atNs":%d,"kind":"rtt","rttMs":5},{"seq":3,"atNs":%d,"kind":"rtt","rttMs":5}]}`, at, at, at)
				}
			})
		}()
		r := newRecording(io.Discard, io.Discard, recordOptions{length: 10 * time.Second, upKbps: 1, downKbps: 1})
		require.NoError(t, r.run(t.Context(), p))
		assert.Equal(t, 2, r.grid.answered)
		assert.Contains(t, p.account(), "2 measurements of cloud by app-service (22 more came out of order)")
	})
}
