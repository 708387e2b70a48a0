// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/offload"
	"edgex-offload/standalone/stack"
)

// webCamera streams a photo as MJPEG to who knows the password, until it breaks.
type webCamera struct {
	photo  []byte
	broken atomic.Bool
}

func (c *webCamera) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if user, password, _ := r.BasicAuth(); user != "viewer" || password != "pass" {
		w.Header().Set("WWW-Authenticate", `Basic realm="camera"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if c.broken.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=frame")
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !c.broken.Load() {
		_, err := fmt.Fprintf(w, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n", len(c.photo), c.photo)
		if err != nil || http.NewResponseController(w).Flush() != nil {
			return
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}

// TestACameraThatBreaksIsSeenAndHeals streams over HTTP with a password, fails, and
// comes back; core-metadata knows of it all the while.
func TestACameraThatBreaksIsSeenAndHeals(t *testing.T) {
	photo, err := os.ReadFile(filepath.Join(samples(t), "faces_5.jpg"))
	require.NoError(t, err)
	camera := &webCamera{photo: photo}
	server := httptest.NewServer(camera)
	t.Cleanup(server.Close)
	t.Cleanup(func() { camera.broken.Store(true) })

	s := start(t, stack.Options{
		Camera: strings.Replace(server.URL, "http://", "http://viewer:pass@", 1), Models: usersModels(t),
		Policy: offload.PolicyLocal, FrameRate: 5,
	})
	bus := listen(t, s)
	for _, o := range bus.wait(t, "frames of the stream", 0, 5, byRoute(offload.Local)) {
		assert.Equal(t, "face", o.label)
	}
	state(t, s, "UP")
	camera.broken.Store(true)
	state(t, s, "DOWN")
	camera.broken.Store(false)
	bus.wait(t, "frames after it came back", bus.count(), 5, byRoute(offload.Local))
	state(t, s, "UP")
}

// state waits until core-metadata has the camera in an operating state.
func state(t *testing.T, s *stack.Stack, want string) {
	t.Helper()
	var answer struct {
		Device struct {
			OperatingState string `json:"operatingState"`
		} `json:"device"`
	}
	require.Eventually(t, func() bool {
		body := do(t, http.MethodGet, s.MetadataURL()+"/api/v3/device/name/camera-1", "", http.StatusOK)
		return json.Unmarshal(body, &answer) == nil && answer.Device.OperatingState == want
	}, patience, 100*time.Millisecond, "operating state %s", want)
}

// TestSubmitAPicture sends one picture through the link with the command line.
func TestSubmitAPicture(t *testing.T) {
	s := start(t, stack.Options{Camera: samples(t), Models: usersModels(t)})
	command, output := offloadCommand(t, "submit", "--address", s.Link.Addr(), "--model", "faces", "--kind", "OBJECT_DETECTION",
		filepath.Join(samples(t), "faces_1.jpg"))
	require.NoError(t, command.Run(), output)
	var answer struct {
		Label       string           `json:"label"`
		Objects     []offload.Object `json:"objects"`
		ProcessedBy string           `json:"processedBy"`
	}
	require.NoError(t, json.Unmarshal(output.Bytes(), &answer), output)
	assert.Equal(t, "face", answer.Label)
	assert.Greater(t, len(answer.Objects), 10, "it is a crowd")
	assert.Equal(t, "cloud", answer.ProcessedBy)
}
