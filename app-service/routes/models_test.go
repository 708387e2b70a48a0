// SPDX-License-Identifier: Apache-2.0

package routes

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"edgex-offload/infer"
)

// operated notes what it is asked.
type operated struct{ asked []string }

func (o *operated) Models() []infer.Status      { return []infer.Status{{Name: "a"}} }
func (o *operated) Model(string) []infer.Status { return []infer.Status{{Name: "a"}} }
func (o *operated) Load(_ context.Context, name, version string) error {
	o.asked = append(o.asked, "load "+name+" "+version)
	return nil
}

func (o *operated) Unload(_ context.Context, name string) error {
	o.asked = append(o.asked, "unload "+name)
	return nil
}

func (o *operated) Rollback(_ context.Context, name string) error {
	o.asked = append(o.asked, "rollback "+name)
	return nil
}

func (o *operated) Rescan(context.Context) error {
	o.asked = append(o.asked, "rescan")
	return nil
}

func TestModelsAreOperatedByAuthenticatedRoutes(t *testing.T) {
	r, o := &router{echo: echo.New()}, &operated{}
	require.NoError(t, AddModels(r, o))
	require.Empty(t, r.open)
	for _, c := range [][2]string{
		{"GET", "/models"},
		{"GET", "/models/a"},
		{"POST", "/models/rescan"},
		{"POST", "/models/a/load?version=2"},
		{"POST", "/models/a/unload"},
		{"POST", "/models/a/rollback"},
	} {
		recorder := httptest.NewRecorder()
		r.echo.ServeHTTP(recorder, httptest.NewRequest(c[0], "/api/v3/offload"+c[1], nil))
		require.Equal(t, http.StatusOK, recorder.Code, c)
		require.Contains(t, recorder.Body.String(), `"apiVersion":"v3","statusCode":200,"models":[{"name":"a"`)
	}
	require.Equal(t, []string{"rescan", "load a 2", "unload a", "rollback a"}, o.asked)
	r.fails = errors.New("reserved")
	require.ErrorContains(t, AddModels(r, o), "route /api/v3/offload/models: reserved")
}
