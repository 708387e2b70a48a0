// SPDX-License-Identifier: Apache-2.0

package operate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/infer"
)

// fake notes what it is asked, and answers with err.
type fake struct {
	asked []string
	err   error
	hangs bool
}

func (f *fake) note(ctx context.Context, what ...string) error {
	f.asked = append(f.asked, strings.Join(what, " "))
	if f.hangs {
		<-ctx.Done()
		return fmt.Errorf("%w: %w", infer.ErrUnderWay, ctx.Err())
	}
	return f.err
}

func (f *fake) Models() []infer.Status { return []infer.Status{{Name: "a"}, {Name: "b"}} }

func (f *fake) Model(name string) []infer.Status {
	if name != "a" {
		return nil
	}
	return []infer.Status{{Name: "a", Version: "2"}}
}

func (f *fake) Load(ctx context.Context, name, version string) error {
	return f.note(ctx, "load", name, version)
}

func (f *fake) Unload(ctx context.Context, name string) error { return f.note(ctx, "unload", name) }

func (f *fake) Rollback(ctx context.Context, name string) error { return f.note(ctx, "rollback", name) }
func (f *fake) Rescan(ctx context.Context) error                { return f.note(ctx, "rescan") }

func call(h http.Handler, method, path string) (int, answer) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	var a answer
	_ = json.Unmarshal(w.Body.Bytes(), &a)
	return w.Code, a
}

func TestRoutes(t *testing.T) {
	for route, want := range map[string]struct {
		asked  string
		code   int
		models int
	}{
		"GET /models":                   {"", 200, 2},
		"GET /models/a":                 {"", 200, 1},
		"GET /models/c":                 {"", 404, 0},
		"POST /models/a/load":           {"load a ", 200, 1},
		"POST /models/a/load?version=2": {"load a 2", 200, 1},
		"POST /models/a/unload":         {"unload a", 200, 1},
		"POST /models/a/rollback":       {"rollback a", 200, 1},
		"POST /models/rescan":           {"rescan", 200, 2},
		"POST /models/a/explode":        {"", 404, 0},
		"GET /models/a/load":            {"", 405, 0},
		"POST /models/a/load?version=" + strings.Repeat("9", 200): {"", 400, 0},
	} {
		f := &fake{}
		method, path, _ := strings.Cut(route, " ")
		code, a := call(Handler(f, ""), method, path)
		assert.Equal(t, want.code, code, route)
		assert.Len(t, a.Models, want.models, route)
		if want.asked != "" {
			assert.Equal(t, []string{want.asked}, f.asked, route)
			assert.Equal(t, "v3", a.APIVersion)
		} else {
			assert.Empty(t, f.asked, route)
		}
	}
}

func TestErrorsHaveTheirCode(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
	}{
		{infer.ErrNoModel, 404}, {infer.ErrBusy, 429}, {infer.ErrClosed, 503}, {infer.ErrNotReady, 409}, {errors.New("broken"), 409},
	} {
		code, a := call(Handler(&fake{err: c.err}, ""), "POST", "/models/a/load")
		assert.Equal(t, c.code, code)
		assert.Equal(t, c.code, a.StatusCode)
		assert.Equal(t, c.err.Error(), a.Message)
		assert.Len(t, a.Models, 1, "how it stands")
	}
	code, a := call(newHandler(&fake{hangs: true}, "", 0), "POST", "/models/a/load")
	require.Equal(t, http.StatusAccepted, code)
	assert.Contains(t, a.Message, "still under way")
}

func TestARefusalChangesNothing(t *testing.T) {
	f := &fake{}
	h := Handler(f, "HTTP.Control is false")
	code, a := call(h, "POST", "/models/a/unload")
	assert.Equal(t, http.StatusForbidden, code)
	assert.Equal(t, "HTTP.Control is false", a.Message)
	assert.Empty(t, f.asked)
	code, _ = call(h, "GET", "/models")
	assert.Equal(t, http.StatusOK, code)
}
