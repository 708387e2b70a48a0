// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"

	"edgex-offload/infer"
	"edgex-offload/infer/ort/orttest"
	"edgex-offload/offload"
	"edgex-offload/remote"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// cloud is a service that runs as from the command line.
type cloud struct {
	grpc, http string
	stop       func() error
}

// start runs the service with these settings on ports of its own, as its log tells them.
func start(t *testing.T, environ ...string) cloud {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	log, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		environ := append([]string{"CLOUD_ADDRESS=127.0.0.1:0", "CLOUD_HTTP_ADDRESS=127.0.0.1:0", "CLOUD_LOGFORMAT=json", "CLOUD_MODELS_RESCAN=100ms"}, environ...)
		err := command(ctx, nil, environ, io.Discard, out)
		_ = out.Close()
		ended <- err
	}()
	lines := bufio.NewScanner(log)
	var entry struct{ Address, HTTP string }
	for entry.Address == "" && lines.Scan() {
		require.NoError(t, json.Unmarshal(lines.Bytes(), &entry))
	}
	read := make(chan struct{})
	go func() { defer close(read); _, _ = io.Copy(io.Discard, log) }()
	c := cloud{grpc: entry.Address, http: "http://" + entry.HTTP}
	stopped := false
	c.stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		err := <-ended
		<-read
		http.DefaultClient.CloseIdleConnections()
		return err
	}
	t.Cleanup(func() { require.NoError(t, c.stop()) })
	return c
}

func (c cloud) get(t *testing.T, path string) (int, string) {
	t.Helper()
	response, err := http.Get(c.http + path)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(body)
}

func (c cloud) client(t *testing.T) *remote.Client {
	t.Helper()
	client, err := remote.NewClient(remote.ClientConfig{Address: c.grpc})
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	require.NoError(t, client.WaitReady(soon(t)))
	return client
}

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func requireRefusal(t *testing.T, err error, code codes.Code) {
	t.Helper()
	require.True(t, remote.IsRefusal(err), "%v", err)
	e, ok := errors.AsType[*remote.Error](err)
	require.True(t, ok)
	require.Equal(t, code, e.Code, "%v", err)
}

func picture(t *testing.T, payload []byte) offload.Task {
	t.Helper()
	return offload.Task{
		ID: t.Name(), Kind: offload.ObjectDetection, Model: "faces", Payload: payload,
		Context: map[string]string{"content-type": "image/jpeg"},
	}
}

// Neither a missing models folder nor a missing ONNX Runtime keeps it from starting; both
// are told, to the caller as to the operator.
func TestStartsWithoutModelsAndWithoutONNXRuntime(t *testing.T) {
	for name, c := range map[string]struct {
		models      func(t *testing.T) string
		code        codes.Code
		told, shown string
	}{
		"no folder": {func(t *testing.T) string { t.Helper(); return filepath.Join(t.TempDir(), "nowhere") }, codes.NotFound, "nowhere", `"models":[]`},
		"a broken model.yaml": {func(t *testing.T) string {
			t.Helper()
			dir := t.TempDir()
			lay(t, dir, "faces", "decoder: magic\n", []byte("x"))
			return dir
		}, codes.NotFound, "no such model", "decoder"},
		"no library": {func(t *testing.T) string {
			t.Helper()
			dir := t.TempDir()
			lay(t, dir, "faces", facesYAML, []byte("no graph"))
			return dir
		}, codes.FailedPrecondition, "not ready", "names \\\"nowhere.so\\\""},
	} {
		t.Run(name, func(t *testing.T) {
			service := start(t, "CLOUD_MODELS_DIR="+c.models(t), "CLOUD_ONNXRUNTIME_LIBRARY=nowhere.so")
			client := service.client(t)
			_, err := client.Probe(soon(t))
			require.NoError(t, err, "the path can be measured all the same")
			require.Eventually(t, func() bool {
				_, err = client.Offload(soon(t), picture(t, []byte("x")), nil)
				_, body := service.get(t, "/healthz")
				return strings.Contains(body, c.shown) && strings.Contains(err.Error(), c.told)
			}, 20*time.Second, 10*time.Millisecond)
			requireRefusal(t, err, c.code)
			code, body := service.get(t, "/healthz")
			assert.Equal(t, http.StatusOK, code)
			assert.Contains(t, body, `"status":"not serving"`)
			code, _ = service.get(t, "/readyz")
			assert.Equal(t, http.StatusServiceUnavailable, code)
			require.NoError(t, service.stop())
		})
	}
}

const facesYAML = `
kind: OBJECT_DETECTION
input: {type: image, width: 320, height: 240, color: RGB, scale: 1, mean: [127], std: [128]}
decoder: ssd
detection: {threshold: 0.7, iou: 0.3, max_objects: 200}
labels: [face]
accuracy: 0.9
`

func lay(t *testing.T, dir, name, spec string, graph []byte) {
	t.Helper()
	version := filepath.Join(dir, name, "1")
	require.NoError(t, os.MkdirAll(version, 0o750))
	require.NoError(t, os.WriteFile(filepath.Join(version, infer.SpecFile), []byte(spec), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(version, infer.GraphFile), graph, 0o600))
}

// A real model answers a real photo, over the wire, as soon as it is put into the folder.
func TestModelThatArrivesLaterAnswers(t *testing.T) {
	t.Setenv("ONNXRUNTIME_LIB", orttest.Library(t))
	from := filepath.Join("..", "..", "shared", "samples")
	graph, err := os.ReadFile(filepath.Join(from, "version-slim-320.onnx"))
	if err != nil {
		t.Skip("no samples: ", err)
	}
	photo, err := os.ReadFile(filepath.Join(from, "faces_1.jpg"))
	require.NoError(t, err)

	dir := t.TempDir()
	service := start(t, "CLOUD_MODELS_DIR="+dir, "CLOUD_NAME=cloud-1")
	client := service.client(t)
	_, err = client.Offload(soon(t), picture(t, photo), nil)
	requireRefusal(t, err, codes.NotFound)

	lay(t, dir, "faces", facesYAML, graph)
	require.Eventually(t, func() bool { code, _ := service.get(t, "/readyz"); return code == http.StatusOK }, time.Minute, 20*time.Millisecond)
	reply, err := client.Offload(soon(t), picture(t, photo), nil)
	require.NoError(t, err)
	assert.Equal(t, "face", reply.Answer.Label)
	assert.NotEmpty(t, reply.Answer.Objects)
	assert.Equal(t, "faces/1", reply.Answer.Model)
	assert.Equal(t, "cloud-1", reply.ProcessedBy)
	assert.Positive(t, reply.Execution)

	_, err = client.Offload(soon(t), picture(t, []byte("no picture")), nil)
	requireRefusal(t, err, codes.InvalidArgument)

	for _, line := range []string{
		`offload_cloud_tasks_total{kind="OBJECT_DETECTION",result="ok"} 1`,
		`offload_cloud_tasks_total{kind="OBJECT_DETECTION",result="notfound"} 1`,
		`offload_cloud_tasks_total{kind="",result="invalidargument"} 1`,
		`offload_cloud_execution_seconds_count{model="faces"} 1`,
		"offload_cloud_models_ready 1",
	} {
		require.Eventually(t, func() bool { // a call is counted at its end, which its caller does not wait for
			_, body := service.get(t, "/metrics")
			return strings.Contains(body, line)
		}, 20*time.Second, 5*time.Millisecond, line)
	}
}

func TestTakenPortIsAnErrorThatNamesTheSetting(t *testing.T) {
	service := start(t, "CLOUD_MODELS_DIR="+t.TempDir())
	err := command(t.Context(), nil, []string{"CLOUD_ADDRESS=" + service.grpc, "CLOUD_HTTP_ADDRESS="}, io.Discard, io.Discard)
	require.ErrorContains(t, err, "address already in use")
	require.ErrorContains(t, err, "CLOUD_ADDRESS")
}
