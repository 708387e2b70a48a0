// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/infer"
)

func TestModelListShowsEachVersion(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/models" {
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"message":"no such page"}`))
			return
		}
		_, _ = w.Write([]byte(`{"models":[
			{"name":"surface","version":"2","serves":"surface","state":"canary","trial":{"beside":"surface/1","tasks":40,"wanted":200,"errors":1}},
			{"name":"surface","version":"1","serves":"surface","state":"ready","accuracy":0.93,"p50Ms":1.5,"answers":7},
			{"name":"x","version":"1","state":"failed","error":"no graph\u001b[2J"}]}`))
	}))
	defer server.Close()
	out, err := run(t, "model", "list", "--url", server.URL+"/models")
	require.NoError(t, err)
	for _, want := range []string{"surface/2  surface  canary", "40 of 200 tasks, 1 failed; beside surface/1", "surface/1  surface  ready   0.93", "no graph"} {
		assert.Contains(t, out, want)
	}
	assert.NotContains(t, out, "\x1b")
	_, err = run(t, "model", "list", "--url", server.URL)
	assert.ErrorContains(t, err, "404 Not Found: no such page")
}

// What the documentation says of openssl holds: its keys are read, and its signature counts.
func TestModelSignWithKeysOfOpenssl(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is missing")
	}
	dir := t.TempDir()
	tool := func(args ...string) {
		command := exec.Command(openssl, args...)
		command.Dir = dir
		out, err := command.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	tool("genpkey", "-algorithm", "ed25519", "-out", "key.pem")
	tool("pkey", "-in", "key.pem", "-pubout", "-out", "public.pem")
	folder := filepath.Join(dir, "models", "surface-small", "1")
	require.NoError(t, os.MkdirAll(folder, 0o755))
	for _, file := range []string{infer.SpecFile, infer.GraphFile} {
		content, err := os.ReadFile(filepath.Join(shipped, "surface-small", "1", file))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(folder, file), content, 0o600))
	}
	out, err := run(t, "model", "sign", folder, "--key", filepath.Join(dir, "key.pem"))
	require.NoError(t, err)
	assert.Contains(t, out, "model.yaml: model.onnx and 0 more files")
	own, err := os.ReadFile(filepath.Join(folder, infer.SignatureFile))
	require.NoError(t, err)
	tool("pkeyutl", "-sign", "-rawin", "-inkey", "key.pem", "-in", filepath.Join(folder, infer.SpecFile), "-out", "raw.sig")
	tool("base64", "-A", "-in", "raw.sig", "-out", "base64.sig")
	theirs, err := os.ReadFile(filepath.Join(dir, "base64.sig"))
	require.NoError(t, err)
	assert.Equal(t, string(theirs)+"\n", string(own))

	_, err = run(t, "model", "sign", folder, "--key", filepath.Join(dir, "public.pem"))
	assert.ErrorContains(t, err, "allowed is PEM with a PRIVATE KEY")
	_, err = run(t, "model", "sign", folder)
	assert.ErrorContains(t, err, `required flag(s) "key" not set`)
}
