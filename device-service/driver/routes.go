// SPDX-License-Identifier: Apache-2.0

package driver

import (
	"fmt"
	"net/http"

	"github.com/edgexfoundry/device-sdk-go/v3/pkg/interfaces"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/common"
	commondto "github.com/edgexfoundry/go-mod-core-contracts/v3/dtos/common"
	"github.com/labstack/echo/v4"

	"edgex-offload/device-service/source"
)

const (
	sourcesRoute = common.ApiBase + "/sources"
	frameRoute   = sourcesRoute + "/:name/frame"
)

// sourceStatus is one entry of the answer to sourcesRoute.
type sourceStatus struct {
	Device   string `json:"device"`
	Resource string `json:"resource"`
	source.Status
}

type sourcesResponse struct {
	commondto.BaseResponse `json:",inline"`
	Sources                []sourceStatus `json:"sources"`
}

// addRoutes adds what commands cannot answer: EdgeX refuses every command to a device that
// is DOWN, also the question why, and no user interface of EdgeX shows a binary reading.
func (d *Driver) addRoutes() error {
	if err := d.sdk.AddCustomRoute(sourcesRoute, interfaces.Authenticated, d.serveSources, http.MethodGet); err != nil {
		return fmt.Errorf("route %s: %w", sourcesRoute, err)
	}
	if err := d.sdk.AddCustomRoute(frameRoute, interfaces.Authenticated, d.serveFrame, http.MethodGet); err != nil {
		return fmt.Errorf("route %s: %w", frameRoute, err)
	}
	return nil
}

// serveSources answers with the health and the account of every source.
func (d *Driver) serveSources(c echo.Context) error {
	answer := sourcesResponse{BaseResponse: commondto.NewBaseResponse("", "", http.StatusOK), Sources: []sourceStatus{}}
	for _, of := range d.all() {
		answer.Sources = append(answer.Sources, sourceStatus{Device: of.name, Resource: of.plan.sample.Name, Status: of.status()})
	}
	return c.JSON(http.StatusOK, answer)
}

// serveFrame answers with the last binary sample as it is.
func (d *Driver) serveFrame(c echo.Context) error {
	refuse := func(code int, format string, args ...any) error {
		return c.JSON(code, commondto.NewBaseResponse("", fmt.Sprintf(format, args...), code))
	}
	of, err := d.ready(c.Param("name"))
	if err != nil {
		return refuse(http.StatusNotFound, "%v", err)
	}
	sample, _ := of.supervisor.Last()
	frame, ok := sample.Value.([]byte)
	if !ok {
		return refuse(http.StatusNotFound, "device %s has no picture (%s)", of.name, of.status())
	}
	c.Response().Header().Set("Last-Modified", sample.Captured.UTC().Format(http.TimeFormat))
	return c.Blob(http.StatusOK, of.plan.sample.Properties.MediaType, frame)
}
