// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (c cloud) post(t *testing.T, path string) (int, string) {
	t.Helper()
	response, err := http.Post(c.http+path, "", nil)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(body)
}

func TestModelsAreOperatedOnlyWhereThatIsAllowed(t *testing.T) {
	dir := t.TempDir()
	lay(t, dir, "faces", facesYAML, []byte("no graph"))
	closed := start(t, "CLOUD_MODELS_DIR="+dir)
	code, body := closed.post(t, "/models/faces/load")
	assert.Equal(t, http.StatusForbidden, code)
	assert.Contains(t, body, "CLOUD_HTTP_CONTROL=true")
	code, body = closed.get(t, "/models")
	assert.Equal(t, http.StatusOK, code)
	assert.Contains(t, body, `"models":[{"name":"faces","version":"1"`)

	open := start(t, "CLOUD_MODELS_DIR="+dir, "CLOUD_HTTP_CONTROL=true")
	code, _ = open.post(t, "/models/rescan")
	assert.Equal(t, http.StatusOK, code)
	code, body = open.post(t, "/models/faces/load")
	assert.Equal(t, http.StatusConflict, code, "it cannot be loaded")
	assert.Contains(t, body, `"state":"failed"`)
	code, _ = open.post(t, "/models/cats/unload")
	assert.Equal(t, http.StatusNotFound, code)
	_, body = open.get(t, "/metrics")
	assert.Contains(t, body, `offload_cloud_model_state{state="failed",variant="faces/1"} 1`)
}

func TestModelsConfigurationIsChecked(t *testing.T) {
	_, _, err := load("", []string{
		"CLOUD_MODELS_PUBLICKEY=/nowhere.pem", "CLOUD_MODELS_DRAINTIMEOUT=1ms", "CLOUD_MODELS_CANARY_SHARE=0.9", "CLOUD_MODELS_CANARY_TASKS=3",
	})
	for _, want := range []string{"Models.PublicKey: ", "Models.DrainTimeout 1ms", "Models.Canary.Share 0.9: allowed is 0 (at once) to 0.5", "Models.Canary.Tasks 3"} {
		require.ErrorContains(t, err, want)
	}
}
