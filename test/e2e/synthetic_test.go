// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/standalone/stack"
)

// TestSyntheticSourcesAreAnsweredRight runs what ships, and compares with the truth.
func TestSyntheticSourcesAreAnsweredRight(t *testing.T) {
	s := start(t, stack.Options{})
	bus := listen(t, s)
	bus.wait(t, "windows of the machine", 0, 20, ofDevice("machine-1"))
	all := bus.wait(t, "frames of the conveyor", 0, 40, ofDevice("conveyor-1"))
	right := map[string]int{}
	answered := map[string]int{}
	for _, o := range all {
		require.NotEmpty(t, o.tags["truth"])
		require.NotEmpty(t, o.tags["seq"])
		answered[o.device]++
		if o.tags["correct"] == "true" {
			right[o.device]++
			assert.Equal(t, o.tags["truth"], o.label)
		}
	}
	for device, n := range answered {
		// The models' files promise more; this is far above chance, which is 1 in 5 or 6.
		assert.Greater(t, float64(right[device])/float64(n), .6, "%s: %d of %d right", device, right[device], n)
	}
}

// TestOperatorsAtWork does over HTTP what an operator does: look, turn a camera off and
// on, add one, be refused, remove it.
func TestOperatorsAtWork(t *testing.T) {
	s := start(t, stack.Options{})
	bus := listen(t, s)
	bus.wait(t, "frames", 0, 3, ofDevice("conveyor-1"))
	device := s.DeviceURL() + "/api/v3/device/name/conveyor-1/"

	do(t, http.MethodPut, device+"Enabled", `{"Enabled":"false"}`, http.StatusOK)
	silent(t, s, bus, "conveyor-1")
	do(t, http.MethodPut, device+"Enabled", `{"Enabled":"true"}`, http.StatusOK)
	bus.wait(t, "frames after it was turned on", bus.count(), 3, ofDevice("conveyor-1"))

	status, message := add(t, s, "belt.2")
	assert.NotEqual(t, http.StatusCreated, status)
	assert.Contains(t, message, "belt.2")
	status, message = add(t, s, "belt-2")
	require.Equal(t, http.StatusCreated, status, message)
	bus.wait(t, "frames of a camera added while it runs", 0, 3, ofDevice("belt-2"))
	do(t, http.MethodDelete, s.MetadataURL()+"/api/v3/device/name/belt-2", "", http.StatusOK)
	silent(t, s, bus, "belt-2")

	var view struct {
		Policy string                `json:"policy"`
		Tasks  struct{ Arrived int } `json:"tasks"`
	}
	require.NoError(t, json.Unmarshal(do(t, http.MethodGet, s.AppURL()+"/api/v3/offload/status", "", http.StatusOK), &view))
	assert.Equal(t, "quantile", view.Policy)
	assert.Positive(t, view.Tasks.Arrived)
	metrics := do(t, http.MethodGet, s.AppURL()+"/api/v3/offload/metrics", "", http.StatusOK)
	assert.Contains(t, string(metrics), "offload_tasks_arrived_total")
}

// silent waits until the other source's outcomes go on and the device's do not.
func silent(t *testing.T, s *stack.Stack, bus *listener, device string) {
	t.Helper()
	const others, attempts = 4, 10
	for range attempts { // what was under way may still come
		before := bus.count()
		heard := 0
		for _, o := range bus.wait(t, "the machine goes on", before, others, ofDevice("machine-1")) {
			if o.device == device {
				heard++
			}
		}
		if heard == 0 {
			return
		}
	}
	status, err := s.Status(t.Context())
	t.Fatalf("%s is still heard; %+v, %v", device, status.Tasks, err)
}

func add(t *testing.T, s *stack.Stack, name string) (int, string) {
	t.Helper()
	body := fmt.Sprintf(`[{"apiVersion":"v3","device":{"apiVersion":"v3","name":%q,"serviceName":"device-sensor-camera",
		"profileName":"offload-camera","adminState":"UNLOCKED","operatingState":"UP","protocols":{"camera":{"Kind":"conveyor","FrameRate":"5"}}}}]`, name)
	var answers []struct {
		StatusCode int    `json:"statusCode"`
		Message    string `json:"message"`
	}
	require.NoError(t, json.Unmarshal(do(t, http.MethodPost, s.MetadataURL()+"/api/v3/device", body, http.StatusMultiStatus), &answers))
	require.Len(t, answers, 1)
	return answers[0].StatusCode, answers[0].Message
}

func do(t *testing.T, method, url, body string, want int) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewBufferString(body))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	request.Close = true
	client := http.Client{Timeout: 30 * time.Second}
	response, err := client.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, want, response.StatusCode, "%s %s: %s", method, url, answer)
	return answer
}
