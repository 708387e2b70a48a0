// SPDX-License-Identifier: Apache-2.0

package driver

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	sdkmodels "github.com/edgexfoundry/device-sdk-go/v3/pkg/models"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/models"
	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFramesGoOutWithTheirTags(t *testing.T) {
	f := newFakeSDK(t)
	f.set("belt", "offload-camera", belt())
	started(t, f)
	assert.Equal(t, "running", f.event(t, "belt", "Status").Value)
	frame := f.event(t, "belt", "Frame")
	assert.Equal(t, "Binary", frame.Type)
	assert.NotEmpty(t, frame.Tags["truth"])
	assert.NotEmpty(t, frame.Tags["seq"])
	captured, err := json.Number(frame.Tags["captured"]).Int64()
	require.NoError(t, err)
	assert.Equal(t, frame.Origin, captured)
}

func TestDevicesComeChangeAndGo(t *testing.T) {
	f := newFakeSDK(t)
	d := started(t, f)
	f.set("belt", "offload-camera", belt())
	require.NoError(t, d.AddDevice("belt", nil, models.Unlocked))
	f.event(t, "belt", "Frame")
	first, _ := d.find("belt")

	f.set("belt", "offload-camera", belt("FrameRate", "100"), func(device *models.Device) { device.OperatingState = models.Down })
	require.NoError(t, d.UpdateDevice("belt", nil, models.Unlocked))
	same, _ := d.find("belt")
	assert.Same(t, first, same, "a change of state alone does not run it anew")
	require.Eventually(t, func() bool { state, _ := d.believed("belt"); return state == models.Up }, waiting, time.Millisecond, "the truth wins")

	f.set("belt", "offload-camera", belt("Seed", 2))
	require.NoError(t, d.UpdateDevice("belt", nil, models.Unlocked))
	other, _ := d.find("belt")
	assert.NotSame(t, first, other)

	f.set("belt", "offload-camera", belt(), func(device *models.Device) { device.AdminState = models.Locked })
	require.NoError(t, d.UpdateDevice("belt", nil, models.Locked))
	_, running := d.find("belt")
	assert.False(t, running)

	f.set("belt", "offload-camera", belt())
	require.NoError(t, d.UpdateDevice("belt", nil, models.Unlocked))
	f.event(t, "belt", "Frame")
	f.remove("belt")
	require.NoError(t, d.RemoveDevice("belt", nil))
	assert.Empty(t, d.all())
}

func TestADeviceThatCannotRunIsDownAndKeepsNothingFromStarting(t *testing.T) {
	f := newFakeSDK(t)
	f.set("bad", "offload-camera", map[string]models.ProtocolProperties{"camera": {"Kind": "folder"}})
	f.set("good", "offload-camera", belt())
	d := started(t, f)
	f.event(t, "good", "Frame")
	require.Eventually(t, func() bool { state, _ := d.believed("bad"); return state == models.Down }, waiting, time.Millisecond)
	_, err := d.HandleReadCommands("bad", nil, []sdkmodels.CommandRequest{{DeviceResourceName: "Frame"}})
	assert.ErrorContains(t, err, "camera.Path: is missing")

	f.set("bad", "offload-camera", belt())
	require.NoError(t, d.UpdateDevice("bad", nil, models.Unlocked))
	f.event(t, "bad", "Frame")
	require.Eventually(t, func() bool { state, _ := d.believed("bad"); return state == models.Up }, waiting, time.Millisecond)
}

func TestConfigurationIsCheckedAsAWhole(t *testing.T) {
	f := newFakeSDK(t)
	f.settings = map[string]string{"MaxFrameBytes": "99999999", "RetryMin": "1m", "RetryMax": "1s", "Retries": "3"}
	err := New().Initialize(f)
	for _, want := range []string{
		`Driver.MaxFrameBytes: "99999999": allowed is a whole number from 1000 to 16777216`, "Driver.RetryMax: 1s: allowed is RetryMin (1m0s)",
		"Driver.Retries is not known",
	} {
		assert.ErrorContains(t, err, want)
	}
	f = newFakeSDK(t)
	f.async = make(chan *sdkmodels.AsyncValues)
	assert.ErrorContains(t, New().Initialize(f), "AsyncBufferSize is 0")
}

func TestStopBeforeStart(t *testing.T) {
	assert.NoError(t, New().Stop(true))
}

func request(name, role string) sdkmodels.CommandRequest {
	return sdkmodels.CommandRequest{DeviceResourceName: name, Attributes: map[string]any{"role": role}}
}

func TestCommands(t *testing.T) {
	f := newFakeSDK(t)
	f.set("belt", "offload-camera", belt())
	d := started(t, f)
	frame := f.event(t, "belt", "Frame")

	values, err := d.HandleReadCommands("belt", nil, []sdkmodels.CommandRequest{
		request("Frame", "sample"), request("FrameRate", "rate"), request("Enabled", "enabled"), request("Status", "status"),
		request("FramesSent", "sent"), request("FramesDropped", "dropped"), request("DropReasons", "reasons"),
	})
	require.NoError(t, err)
	assert.Len(t, values, 7)
	assert.Equal(t, frame.Type, values[0].Type)
	assert.Equal(t, 100.0, values[1].Value)
	assert.Equal(t, true, values[2].Value)
	assert.Equal(t, "running", values[3].Value)
	assert.True(t, json.Valid([]byte(values[6].Value.(string))))

	for role, want := range map[string]string{"outcome": "comes from the app service", "": `attribute role "" cannot be read`} {
		_, err = d.HandleReadCommands("belt", nil, []sdkmodels.CommandRequest{request("Label", role)})
		assert.ErrorContains(t, err, want)
	}
	_, err = d.HandleReadCommands("nobody", nil, []sdkmodels.CommandRequest{request("Frame", "sample")})
	assert.ErrorContains(t, err, "device nobody does not run")
}

func TestACommandIsTakenOverAsAWholeOrNotAtAll(t *testing.T) {
	f := newFakeSDK(t)
	f.set("belt", "offload-camera", belt())
	d := started(t, f)
	write := func(rate float64, enabled bool, last string) error {
		return d.HandleWriteCommands("belt", nil,
			[]sdkmodels.CommandRequest{request("FrameRate", "rate"), request(last, map[string]string{"Enabled": "enabled", "Status": "status"}[last])},
			[]*sdkmodels.CommandValue{{Type: "Float64", Value: rate}, {Type: "Bool", Value: enabled}})
	}
	of, _ := d.find("belt")
	assert.ErrorContains(t, write(7, false, "Status"), "belt: Status: attribute role \"status\" cannot be written")
	assert.ErrorContains(t, write(1000, false, "Enabled"), "FrameRate: rate 1000: allowed are 0.001 to 240")
	assert.Equal(t, 100.0, of.status().Rate)
	assert.True(t, of.status().Enabled)
	require.NoError(t, write(7, false, "Enabled"))
	assert.Equal(t, 7.0, of.status().Rate)
	assert.False(t, of.status().Enabled)
}

func TestRoutes(t *testing.T) {
	f := newFakeSDK(t)
	f.set("belt", "offload-camera", belt())
	f.set("bad", "offload-camera", map[string]models.ProtocolProperties{"camera": {"Kind": "folder"}})
	started(t, f)
	frame := f.event(t, "belt", "Frame")
	get := func(route, name string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		c := echo.New().NewContext(httptest.NewRequest(http.MethodGet, "/", nil), w)
		c.SetParamNames("name")
		c.SetParamValues(name)
		require.NoError(t, f.routes[route](c))
		return w
	}
	answer := get("/api/v3/sources", "")
	var response struct {
		APIVersion string `json:"apiVersion"`
		StatusCode int    `json:"statusCode"`
		Sources    []struct{ Device, Resource, State, Detail string }
	}
	require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &response))
	require.Len(t, response.Sources, 2)
	assert.Equal(t, "v3", response.APIVersion)
	assert.Equal(t, "down", response.Sources[0].State)
	assert.Contains(t, response.Sources[0].Detail, "camera.Path: is missing")
	assert.Equal(t, "running", response.Sources[1].State)
	assert.Equal(t, "Frame", response.Sources[1].Resource)

	picture := get("/api/v3/sources/:name/frame", "belt")
	assert.Equal(t, http.StatusOK, picture.Code)
	assert.Equal(t, "image/jpeg", picture.Header().Get("Content-Type"))
	assert.Equal(t, frame.Value.([]byte)[:3], picture.Body.Bytes()[:3])
	assert.Equal(t, http.StatusNotFound, get("/api/v3/sources/:name/frame", "nobody").Code)
}

func TestDiscoveryOffersFolders(t *testing.T) {
	f := newFakeSDK(t)
	d := started(t, f)
	assert.ErrorContains(t, d.Discover(), "Driver.CameraFolders names no folder")

	root := t.TempDir()
	for _, name := range []string{"line-1", "line.2"} {
		require.NoError(t, os.Mkdir(filepath.Join(root, name), 0o755))
	}
	require.NoError(t, os.WriteFile(filepath.Join(root, "file"), nil, 0o644))
	d.settings.cameraFolders = root
	require.NoError(t, d.Discover())
	found := <-f.found
	require.Len(t, found, 1)
	assert.Equal(t, "line-1", found[0].Name)
	assert.NoError(t, d.ValidateDevice(models.Device{Name: found[0].Name, ProfileName: "offload-camera", Protocols: found[0].Protocols}))
}
