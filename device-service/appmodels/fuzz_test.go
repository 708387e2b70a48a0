// SPDX-License-Identifier: Apache-2.0

package appmodels

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzAnswer: whatever the app-service says becomes a list in JSON, or a short error.
func FuzzAnswer(f *testing.F) {
	f.Add(200, []byte(`{"models":[{"name":"a","version":"1","state":"ready"}]}`))
	f.Add(409, []byte(`{"message":"no"}`))
	f.Add(200, []byte("<html>"))
	c := &Client{base: &url.URL{Scheme: "http", Host: "box"}}
	f.Fuzz(func(t *testing.T, code int, body []byte) {
		a, err := c.read(&http.Response{StatusCode: code, Status: "status", Body: io.NopCloser(bytes.NewReader(body))})
		if err != nil {
			require.Less(t, len(err.Error()), 1000)
			return
		}
		_, err = json.Marshal(a.Models)
		require.NoError(t, err)
	})
}

// FuzzCommand: what a command names reaches the app-service as one path below its routes.
func FuzzCommand(f *testing.F) {
	for _, text := range []string{"surface/2", "a b", "../x", "a?b=c", "a%2Fb", "."} {
		f.Add(Load, text)
	}
	f.Fuzz(func(t *testing.T, action, text string) {
		name, version, err := parse(action, text)
		if err != nil || action == Rescan {
			return
		}
		require.NotContains(t, url.PathEscape(name), "/")
		require.False(t, strings.Contains(version, "/"))
	})
}
