// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/offload"
)

const home = "../.." // the module's root has what a run needs

func at() addresses {
	return addresses{broker: 1, metadata: 2, device: 3, app: 4, cloud: 5, cloudHTTP: 6, link: "127.0.0.1:7"}
}

// TestTheRunIsInTheEnvironmentAlone guards that the services are started as they ship.
func TestTheRunIsInTheEnvironmentAlone(t *testing.T) {
	o := Options{Home: "/h", Dir: "/run", Policy: "local", Deadline: 300 * time.Millisecond}
	signals := task{model: "pump", kind: offload.SignalClassification, signal: true}
	app := o.environment(AppService, at(), signals)
	for _, variable := range []string{
		"SERVICE_PORT=4", "MESSAGEBUS_PORT=1", "CLIENTS_CORE_METADATA_PORT=2", "OFFLOAD_TARGETS_CLOUD_ADDRESS=127.0.0.1:7",
		"OFFLOAD_MODELS_FOLDER=/h/models", "OFFLOAD_WRITABLE_POLICY=local", "OFFLOAD_WRITABLE_TASKS_SURFACE_DEADLINE=300ms",
		"OFFLOAD_WRITABLE_TASKS_VIBRATION_MODEL=pump", "OFFLOAD_WRITABLE_TASKS_VIBRATION_KIND=SIGNAL_CLASSIFICATION",
	} {
		assert.Contains(t, app, variable)
	}
	assert.NotContains(t, strings.Join(app, " "), "TASKS_SURFACE_MODEL")
	assert.Contains(t, o.environment(DeviceService, at(), signals), "DEVICE_DEVICESDIR=/run/devices")
	assert.Contains(t, o.environment(CloudService, at(), signals), "CLOUD_ADDRESS=127.0.0.1:5")
	assert.Equal(t, []string{"-cc=/h/res/common/configuration.yaml", "-cd=/h/res/app-service"}, o.arguments(AppService))
	assert.NotContains(t, strings.Join(Options{Home: "/h"}.environment(AppService, at(), task{}), " "), "WRITABLE_TASKS", "nothing asked, nothing replaced")
}

func TestValidateNamesWhatIsWrong(t *testing.T) {
	err := Options{Home: t.TempDir(), Bin: "nowhere", Policy: "best", Deadline: -1, FrameRate: 1e6}.Validate()
	for _, says := range []string{
		`policy "best": allowed is quantile, cost, linucb, dqn, threshold, local, cloud`, "deadline -1ns: allowed is 1ms to 1h", "fps 1e+06: allowed is 0.01 to 1000",
		"a folder that has res/common/configuration.yaml", "a folder that has device-service (make build)",
	} {
		require.ErrorContains(t, err, says)
	}
}

func writeModel(t *testing.T, folder, name, yaml string) {
	t.Helper()
	dir := filepath.Join(folder, name, "1")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "model.yaml"), []byte(yaml), 0o644))
}

const (
	parts   = "kind: IMAGE_CLASSIFICATION\nserves: surface\ninput: {type: image, width: 8, height: 8}\ndecoder: classification\nlabels: [good, scratch, dent, stain, crack]\n"
	shaking = "kind: SIGNAL_CLASSIFICATION\nserves: vibration\ninput: {type: signal, shape: [3, 1024]}\ndecoder: classification\nlabels: [normal, imbalance, misalignment, looseness, bearing_outer, bearing_inner]\n"
	animals = "kind: IMAGE_CLASSIFICATION\ninput: {type: image, width: 8, height: 8}\ndecoder: classification\nlabels: [cat, dog]\n"
	texts   = "kind: NLP_ANALYSIS\ninput: {type: signal, shape: [1, 8]}\ndecoder: classification\nlabels: [a, b]\n"
)

func TestFindTask(t *testing.T) {
	shipped := map[string]string{
		"s": parts + "runs_on: [box]\n", "l": parts + "runs_on: [cloud]\n", "v": shaking, "pets": animals,
	}
	for _, c := range []struct {
		name   string
		models map[string]string
		o      Options
		want   task
		says   string // of the error
	}{
		{"what the configuration asks for", shipped, Options{}, task{}, ""},
		{"by name", shipped, Options{Model: "surface"}, task{model: "surface"}, ""},
		{"of signals", shipped, Options{Model: "vibration"}, task{model: "vibration", kind: offload.SignalClassification, signal: true}, ""},
		{"the only one", map[string]string{"pets": animals}, Options{Camera: "photos"}, task{model: "pets"}, ""},
		{"unknown", shipped, Options{Model: "faces"}, task{}, `model "faces": allowed are those of`},
		{"several and none named", map[string]string{"a": animals, "b": animals}, Options{Camera: "photos"}, task{}, `: a, b`},
		{"labels the synthetic source does not know", shipped, Options{Model: "pets"}, task{}, `does not know "good"`},
		{"signals on a camera", shipped, Options{Model: "vibration", Camera: "photos"}, task{}, "it cannot run on the camera"},
		{"nothing there", nil, Options{}, task{}, "allowed is a folder that has <name>/<version>/model.yaml"},
		{"nothing can be read", map[string]string{"x": "kind: ["}, Options{}, task{}, "no model can be read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.o.Models = t.TempDir()
			for name, yaml := range c.models {
				writeModel(t, c.o.Models, name, yaml)
			}
			got, err := c.o.findTask()
			if c.says != "" {
				require.ErrorContains(t, err, c.says)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestDevicesSuitTheTask(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Options
		t    task
		want []string
	}{
		{"both synthetic sources", Options{}, task{}, []string{"conveyor-1", "machine-1"}},
		{"pictures", Options{}, task{model: "m"}, []string{"conveyor-1"}},
		{"signals", Options{}, task{model: "m", kind: offload.SignalClassification}, []string{"machine-1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.o.Home, c.o.FrameRate = home, 7
			devices, err := c.o.devices(context.Background(), c.t)
			require.NoError(t, err)
			var names []string
			for _, d := range devices {
				names = append(names, d.Name)
				if camera := d.Protocols["camera"]; camera != nil {
					assert.InDelta(t, 7, camera["FrameRate"], 0)
				}
			}
			assert.Equal(t, c.want, names)
		})
	}
}

func TestDevicesKeepWhatTheyHave(t *testing.T) {
	o := Options{Home: home, Dir: t.TempDir()}
	require.NoError(t, o.writeDevices(context.Background(), task{}))
	written, err := readDevices(filepath.Join(o.Dir, "devices"))
	require.NoError(t, err)
	shipped, err := readDevices(filepath.Join(home, "res/device-service/devices"))
	require.NoError(t, err)
	assert.Equal(t, shipped, written)
}

func TestCameraProperties(t *testing.T) {
	photos := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(photos, "a.JPG"), nil, 0o644))
	empty := t.TempDir()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		switch {
		case r.URL.Path == "/stream" && user == "me" && password == "secret":
			w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=x")
			_, _ = w.Write([]byte("--x"))
		case r.URL.Path == "/now.jpg" || r.URL.Path == "/still":
			w.Header().Set("Content-Type", "image/jpeg")
			_, _ = w.Write([]byte{0xff})
		case r.URL.Path == "/page":
			w.Header().Set("Content-Type", "text/html")
		case r.URL.Path == "/digest" || r.URL.Path == "/digest.jpg":
			w.WriteHeader(http.StatusUnauthorized)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	known := strings.Replace(server.URL, "//", "//me:secret@", 1)
	for _, c := range []struct {
		camera string
		want   map[string]any
		says   string
	}{
		{photos, map[string]any{"Kind": "folder", "Path": photos}, ""},
		{empty, nil, "at least one .jpg or .jpeg file"},
		{filepath.Join(empty, "no"), nil, "no such file"},
		{server.URL + "/still", map[string]any{"Kind": "snapshot", "URL": server.URL + "/still"}, ""},
		{known + "/stream", map[string]any{"Kind": "mjpeg", "URL": server.URL + "/stream", "User": "me", "Password": "secret"}, ""},
		{known + "/digest", map[string]any{"Kind": "mjpeg", "URL": server.URL + "/digest", "User": "me", "Password": "secret"}, ""},
		{known + "/digest.jpg", map[string]any{"Kind": "snapshot", "URL": server.URL + "/digest.jpg", "User": "me", "Password": "secret"}, ""},
		{server.URL + "/digest", nil, "401 Unauthorized"},
		{server.URL + "/page", nil, `it sends "text/html": allowed are multipart/x-mixed-replace and image/jpeg`},
		{server.URL + "/none", nil, "404 Not Found"},
		{"rtsp://me:secret@camera/stream", nil, `"rtsp://me:xxxxx@camera/stream": allowed is a folder`},
	} {
		t.Run(c.camera, func(t *testing.T) {
			got, err := cameraProperties(context.Background(), c.camera)
			if c.says != "" {
				require.ErrorContains(t, err, c.says)
				assert.NotContains(t, err.Error(), "secret")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestLinkSource(t *testing.T) {
	file := filepath.Join(t.TempDir(), "drive.csv")
	require.NoError(t, os.WriteFile(file, []byte("t_ms,rtt_ms,up_kbps,down_kbps,loss\n0,7,800,800,0\n"), 0o644))
	l := Link{Profile: "wifi", Trace: file}
	source, err := l.Source()
	require.NoError(t, err)
	assert.Equal(t, 7*time.Millisecond, source.Next().RTT)
	assert.Equal(t, "drive.csv", l.Name())

	_, err = Link{Profile: "dialup"}.Source()
	require.ErrorContains(t, err, "allowed are lan")
	_, err = Link{Trace: "nowhere.csv"}.Source()
	require.ErrorContains(t, err, "no such file")
	require.NoError(t, os.WriteFile(file, []byte("t,rtt\n"), 0o644))
	_, err = l.Source()
	require.ErrorContains(t, err, "drive.csv: line 1, column header")
}
