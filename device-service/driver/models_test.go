// SPDX-License-Identifier: Apache-2.0

package driver

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	sdkmodels "github.com/edgexfoundry/device-sdk-go/v3/pkg/models"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/models"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/infer"
	"edgex-offload/infer/operate"
)

// backend loads anything.
type backend struct{}

func (backend) Load(context.Context, infer.Source) (infer.Graph, error) { return graph{}, nil }

type graph struct{}

func (graph) About() infer.About { return infer.About{Provider: "CPU"} }
func (graph) Close() error       { return nil }
func (graph) Run(_ context.Context, _ int, fill func([][]float32) error, read func([]infer.Tensor) error) error {
	if err := fill([][]float32{make([]float32, 6)}); err != nil {
		return err
	}
	return read([]infer.Tensor{{Shape: []int64{1, 2}, Data: []float32{.9, .1}}})
}

// appService serves real models, as app-service does, versions 1 and 2 of "vibration".
func appService(t *testing.T) *httptest.Server {
	t.Helper()
	dir := t.TempDir()
	for _, version := range []string{"1", "2"} {
		folder := filepath.Join(dir, "vibration", version)
		require.NoError(t, os.MkdirAll(folder, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(folder, infer.GraphFile), nil, 0o644))
		require.NoError(t, os.WriteFile(filepath.Join(folder, infer.SpecFile), []byte(
			"kind: SIGNAL_CLASSIFICATION\ninput: {type: signal, shape: [2, 3]}\ndecoder: classification\nlabels: [a, b]\n"), 0o644))
	}
	repository, err := infer.Open(infer.Options{Dir: dir, Backend: backend{}, Rescan: time.Hour})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, repository.Close()) })
	require.NoError(t, repository.Wait(t.Context()))
	server := httptest.NewServer(http.StripPrefix("/api/v3/offload", operate.Handler(repository, "")))
	t.Cleanup(server.Close)
	return server
}

func modelsAt(url string, more ...any) map[string]models.ProtocolProperties {
	properties := models.ProtocolProperties{"URL": url, "Rate": 100}
	for i := 0; i < len(more); i += 2 {
		properties[more[i].(string)] = more[i+1]
	}
	return map[string]models.ProtocolProperties{"models": properties}
}

func write(d *Driver, role string, value any) error {
	kind := map[bool]string{true: "Bool", false: "String"}[role == roleRescan]
	v, err := sdkmodels.NewCommandValue("R", kind, value)
	if err != nil {
		return err
	}
	return d.HandleWriteCommands("models", nil, []sdkmodels.CommandRequest{request("R", role)}, []*sdkmodels.CommandValue{v})
}

// states reads the list as a command does.
func states(t *testing.T, d *Driver) map[string]string {
	t.Helper()
	values, err := d.HandleReadCommands("models", nil, []sdkmodels.CommandRequest{request("Models", roleSample)})
	require.NoError(t, err)
	var list []struct{ Model, State string }
	require.NoError(t, json.Unmarshal([]byte(values[0].Value.(string)), &list))
	all := map[string]string{}
	for _, m := range list {
		all[m.Model] = m.State
	}
	return all
}

// A list that was read after a command was the one before it, up to ten seconds old.
func TestAListOfModelsIsAsTheyAreNow(t *testing.T) {
	f := newFakeSDK(t)
	server := appService(t)
	f.set("models", "offload-models", modelsAt(server.URL, "Rate", 0.001))
	d := started(t, f)
	f.event(t, "models", "Models")
	require.NoError(t, write(d, "unload", "vibration"))
	assert.Equal(t, map[string]string{"vibration/1": "unloaded", "vibration/2": "unloaded"}, states(t, d))
	server.Close()
	_, err := d.HandleReadCommands("models", nil, []sdkmodels.CommandRequest{request("Models", roleSample)})
	require.ErrorContains(t, err, "is it running, and is URL right?")
}

func TestModelsAreADevice(t *testing.T) {
	f := newFakeSDK(t)
	f.set("models", "offload-models", modelsAt(appService(t).URL))
	d := started(t, f)
	f.event(t, "models", "Models")
	becomes := func(want map[string]string) {
		t.Helper()
		require.Eventually(t, func() bool {
			f.event(t, "models", "Models")
			got := states(t, d)
			return fmt.Sprint(got) == fmt.Sprint(want)
		}, waiting, time.Millisecond, "%v", want)
	}
	becomes(map[string]string{"vibration/1": "unloaded", "vibration/2": "ready"})
	require.NoError(t, write(d, "rollback", "vibration"))
	becomes(map[string]string{"vibration/1": "ready", "vibration/2": "taken-back"})
	require.NoError(t, write(d, "load", "vibration/2"))
	becomes(map[string]string{"vibration/1": "unloaded", "vibration/2": "ready"})
	require.NoError(t, write(d, "unload", "vibration"))
	becomes(map[string]string{"vibration/1": "unloaded", "vibration/2": "unloaded"})
	require.NoError(t, write(d, "rescan", true))
	require.NoError(t, write(d, "rescan", false))

	for _, c := range []struct{ role, value, want string }{
		{"load", "vibration/9", `vibration has no version "9": there are 1, 2 (404 Not Found)`},
		{"load", "cats", `no such model: model "cats"`},
		{"rollback", "vibration", "no version answers that could be left"},
		{"load", "", "allowed is the name of a model, or name/version"},
		{"unload", "vibration/1", "allowed is the name of a model"},
		{"load", "a/b/c", "allowed is"},
		{"load", strings.Repeat("a", 200), "allowed is"},
	} {
		assert.ErrorContains(t, write(d, c.role, c.value), c.want)
	}
}

func TestModelsThatDoNotAnswerAreDown(t *testing.T) {
	hostile := map[string]http.HandlerFunc{
		"no list of models": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"asks for a token":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
		"301 Moved": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/other", http.StatusMovedPermanently)
		},
		"more than": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 9<<20)) },
	}
	for want, handler := range hostile {
		t.Run(want, func(t *testing.T) {
			server := httptest.NewServer(handler)
			defer server.Close()
			f := newFakeSDK(t)
			f.set("models", "offload-models", modelsAt(server.URL))
			d := started(t, f)
			require.Eventually(t, func() bool { state, _ := d.believed("models"); return state == models.Down }, waiting, time.Millisecond)
			of, _ := d.find("models")
			assert.Contains(t, of.status().Detail, want)
			assert.ErrorContains(t, write(d, "unload", "vibration"), want)
		})
	}
}

func TestADeviceOfModelsIsChecked(t *testing.T) {
	f := newFakeSDK(t)
	d := started(t, f)
	device := models.Device{Name: "models", ProfileName: "offload-models", Protocols: modelsAt("ftp://x", "Timeout", "1ms", "Retries", 2)}
	err := d.ValidateDevice(device)
	for _, want := range []string{`models.URL: "ftp://x": allowed is http://`, "models.Timeout", "models.Retries is not known"} {
		assert.ErrorContains(t, err, want)
	}
	device.Protocols, device.ProfileName = modelsAt("http://localhost:1"), "offload-camera"
	assert.ErrorContains(t, d.ValidateDevice(device), "models fills String")
	device.ProfileName = "not-known-yet"
	assert.NoError(t, d.ValidateDevice(device))
	f.set("belt", "offload-camera", belt())
	require.NoError(t, d.AddDevice("belt", nil, models.Unlocked))
	of, _ := d.find("belt")
	v, err := sdkmodels.NewCommandValue("R", "String", "m")
	require.NoError(t, err)
	_, err = of.write(request("R", "load"), v)
	assert.ErrorContains(t, err, "for a device of protocol models alone")
}
