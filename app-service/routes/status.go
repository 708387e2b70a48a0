// SPDX-License-Identifier: Apache-2.0

package routes

import (
	"net/http"
	"sync"
	"time"

	"github.com/edgexfoundry/go-mod-core-contracts/v3/common"
	"github.com/labstack/echo/v4"

	"edgex-offload/app-service/supply"
	"edgex-offload/cascade"
	"edgex-offload/infer"
	"edgex-offload/runner"
)

// View is how everything stands at one moment.
type View struct {
	runner.Status
	// Machine is how the box stands: power mode, clocks, heat, watts.
	Machine supply.State `json:"machine"`
	// Models are those of the folder, loaded here or not, with their state.
	Models []infer.Status `json:"models"`
	// ModelCounts is what happened to them.
	ModelCounts infer.Counts `json:"modelCounts"`
	// ModelsProblem says why the models folder cannot be read; "" if it can.
	ModelsProblem string `json:"modelsProblem,omitempty"`
	// Cascades are those of the folder, and those that rules ask for and that are not there.
	Cascades []cascade.Status `json:"cascades"`
	// PassedOver counts what did not become a task, by reason (functions.Passed...).
	PassedOver map[string]uint64 `json:"passedOver"`
	// Events counts outcome events by what became of them (functions.Publish...).
	Events        map[string]uint64   `json:"events"`
	Configuration ConfigurationStatus `json:"configuration"`
}

// ConfigurationStatus tells of the changes while running.
type ConfigurationStatus struct {
	Accepted uint64 `json:"accepted"`
	Refused  uint64 `json:"refused"`
	// LastRefusal says what was wrong with the last one; "" once a later one was accepted.
	LastRefusal string `json:"lastRefusal,omitempty"`
}

// ConfigurationLog keeps a ConfigurationStatus. The zero value is ready; it may be shared.
type ConfigurationLog struct {
	mu     sync.Mutex
	status ConfigurationStatus
}

// Add counts one change: accepted when err is nil.
func (l *ConfigurationLog) Add(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.status.Accepted++
		l.status.LastRefusal = ""
		return
	}
	l.status.Refused++
	l.status.LastRefusal = err.Error()
}

// Status is what was added until now.
func (l *ConfigurationLog) Status() ConfigurationStatus {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.status
}

// head is what every EdgeX answer starts with.
type head struct {
	APIVersion string `json:"apiVersion"`
	StatusCode int    `json:"statusCode"`
}

func ok() head { return head{common.ApiVersion, http.StatusOK} }

// Status answers with the View of the moment.
func Status(view func() View) echo.HandlerFunc {
	return func(c echo.Context) error {
		return c.JSON(http.StatusOK, struct {
			head
			Time time.Time `json:"time"`
			View
		}{ok(), time.Now(), view()})
	}
}
