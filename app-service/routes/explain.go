// SPDX-License-Identifier: Apache-2.0

package routes

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"edgex-offload/offload"
)

// Records are those that are kept; *runner.Runner is one.
type Records interface {
	// Find gives the records of a task, the newest first, limit at the most.
	Find(task string, limit int) []offload.Record
	// Kept is how many records there are, and how many there may be.
	Kept() (records, limit int)
}

const (
	// mostTold bounds the records of one task in an answer, mostAsked the length of its id.
	mostTold  = 16
	mostAsked = 512
)

// Told is a record with its story in plain words.
type Told struct {
	Record offload.Record `json:"record"`
	Text   string         `json:"text"`
}

// taskOf is the task's id in the path, which echo leaves escaped where it has what a path must
// escape, as a slash.
func taskOf(c echo.Context) (string, error) {
	if c.Request().URL.RawPath == "" {
		return c.Param("id"), nil
	}
	return url.PathUnescape(c.Param("id"))
}

// Summaries are those of cascades; *cascade.Set is one.
type Summaries interface {
	// Find gives the summaries of a task, the newest first, limit at the most.
	Find(task string, limit int) []offload.Record
}

// Decision answers with the records of a task, the newest first, and tells each. Of a cascade
// that is its summary.
func Decision(kept Records, cascades Summaries) echo.HandlerFunc {
	return func(c echo.Context) error {
		id, err := taskOf(c)
		if err != nil || id == "" || len(id) > mostAsked {
			return refuse(c, fmt.Errorf("task %.40q: allowed is the id of a task, 1 to %d bytes, as in the reading TaskId of its outcome", id, mostAsked))
		}
		records := cascades.Find(id, mostTold)
		records = append(records, kept.Find(id, mostTold-len(records))...)
		if len(records) == 0 {
			have, limit := kept.Kept()
			return fail(c, http.StatusNotFound, fmt.Errorf(
				"task %.80q: none of the last %d records is of it; a record is made when its task ends, and Offload.DecisionLog (%d) says how many are kept: raise it to look back further", id, have, limit))
		}
		told := make([]Told, len(records))
		for i := range records {
			told[i] = Told{records[i], offload.Explain(&records[i])}
		}
		return c.JSON(http.StatusOK, struct {
			head
			Decisions []Told `json:"decisions"`
		}{ok(), told})
	}
}
