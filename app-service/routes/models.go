// SPDX-License-Identifier: Apache-2.0

package routes

import (
	"fmt"
	"net/http"

	"github.com/edgexfoundry/app-functions-sdk-go/v3/pkg/interfaces"
	"github.com/labstack/echo/v4"

	"edgex-offload/infer/operate"
)

// pathRoot is what the models' own routes lie below.
const pathRoot = "/api/v3/offload"

// AddModels adds the routes of package operate below /api/v3/offload, authenticated as the
// others are.
func AddModels(router Router, models operate.Models) error {
	handler := echo.WrapHandler(http.StripPrefix(pathRoot, operate.Handler(models, "")))
	for _, route := range []struct{ method, path string }{
		{http.MethodGet, "/models"},
		{http.MethodGet, "/models/:name"},
		{http.MethodPost, "/models/rescan"},
		{http.MethodPost, "/models/:name/load"},
		{http.MethodPost, "/models/:name/unload"},
		{http.MethodPost, "/models/:name/rollback"},
	} {
		if err := router.AddCustomRoute(pathRoot+route.path, interfaces.Authenticated, handler, route.method); err != nil {
			return fmt.Errorf("route %s%s: %w", pathRoot, route.path, err)
		}
	}
	return nil
}
