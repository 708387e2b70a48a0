// SPDX-License-Identifier: Apache-2.0

package routes

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"edgex-offload/offload"
)

const (
	defaultLimit = 100
	maxLimit     = 1000 // records in one answer, about 1 KB each
)

// Decisions answers with the records after a sequence number, oldest first, or with the
// last ones when none is given. read is (*runner.Runner).Decisions.
func Decisions(read func(limit int, after uint64) []offload.Record) echo.HandlerFunc {
	return func(c echo.Context) error {
		limit, err := number(c, "limit", defaultLimit, 1, maxLimit)
		if err != nil {
			return refuse(c, err)
		}
		after, err := number(c, "after", 0, 0, 1<<63)
		if err != nil {
			return refuse(c, err)
		}
		return c.JSON(http.StatusOK, struct {
			head
			Decisions []offload.Record `json:"decisions"`
		}{ok(), read(int(limit), after)})
	}
}
