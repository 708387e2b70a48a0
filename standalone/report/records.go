// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"edgex-offload/offload"
)

// maxRecordBytes bounds a line of a file of records; one is 2 KB or so.
const maxRecordBytes = 1 << 20

// ReadRecords reads decision records, one JSON object a line, as a run writes them. The
// error names the line.
func ReadRecords(r io.Reader) ([]offload.Record, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxRecordBytes)
	var records []offload.Record
	number := 0
	for lines.Scan() {
		number++
		if len(lines.Bytes()) == 0 {
			continue
		}
		var record offload.Record
		if err := json.Unmarshal(lines.Bytes(), &record); err != nil {
			return nil, fmt.Errorf("line %d: not a decision record: %w", number, err)
		}
		records = append(records, record)
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return nil, fmt.Errorf("line %d: allowed is at most %d bytes", number+1, maxRecordBytes)
	}
	return records, lines.Err()
}
