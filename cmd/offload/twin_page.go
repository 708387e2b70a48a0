// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"

	"edgex-offload/twin/compare"
)

// twinPage collects what the page of pictures shows beside the report, while the cells are
// played.
type twinPage struct{ file string }

// newTwinPage sets the observers of the runs that the page shows task by task.
func newTwinPage(o twinOptions, _ *compare.Grid, _ []compare.Run) *twinPage {
	return &twinPage{file: o.html}
}

func (p *twinPage) write(*compare.Report) error {
	if p.file == "" {
		return nil
	}
	return errors.New("html: there is no page yet")
}
