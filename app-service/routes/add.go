// SPDX-License-Identifier: Apache-2.0

package routes

import (
	"fmt"
	"net/http"

	"github.com/edgexfoundry/app-functions-sdk-go/v3/pkg/interfaces"
	"github.com/labstack/echo/v4"
)

// The routes.
const (
	PathStatus      = "/api/v3/offload/status"
	PathDecisions   = "/api/v3/offload/decisions"
	PathDecision    = "/api/v3/offload/decisions/:id"
	PathPolicies    = "/api/v3/offload/policies"
	PathLink        = "/api/v3/offload/link"
	PathLinkSamples = "/api/v3/offload/link/samples"
	PathMetrics     = "/api/v3/offload/metrics"
)

// Router is the part of an ApplicationService that is needed here.
type Router interface {
	AddCustomRoute(route string, authentication interfaces.Authentication, handler echo.HandlerFunc, methods ...string) error
}

// Handlers are what answers, by the route's path.
type Handlers map[string]echo.HandlerFunc

// Add adds the routes, all of them authenticated: in secure mode they take the same
// token as EdgeX's own, else they are open.
func Add(router Router, handlers Handlers) error {
	for path, handler := range handlers {
		if err := router.AddCustomRoute(path, interfaces.Authenticated, handler, http.MethodGet); err != nil {
			return fmt.Errorf("route %s: %w", path, err)
		}
	}
	return nil
}
