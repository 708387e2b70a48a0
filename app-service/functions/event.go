// SPDX-License-Identifier: Apache-2.0

package functions

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/edgexfoundry/go-mod-core-contracts/v3/common"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos"
	"github.com/fxamacker/cbor/v2"
)

const (
	maxReadings = 64  // in one event
	maxName     = 512 // bytes; EdgeX itself sets no limit
)

// eventReader reads the bytes of an AddEventRequest or of a bare event. The SDK's own
// reader is not used: it panics on an empty array value (dtos.parseArrayValue), and it
// reads a message twice.
type eventReader struct{ cbor cbor.DecMode }

func newEventReader() (eventReader, error) {
	mode, err := cbor.DecOptions{MaxNestedLevels: 16, MaxArrayElements: 4096, MaxMapPairs: 4096}.DecMode()
	return eventReader{mode}, err
}

// read decodes payload as its content type says. The result's names are present and short.
func (r eventReader) read(payload []byte, contentType string) (dtos.Event, error) {
	var message struct {
		dtos.Event            // a bare event has its fields at the top
		Request    dtos.Event `json:"event"` // an AddEventRequest has them one level below
	}
	var err error
	switch media, _, _ := strings.Cut(contentType, ";"); media {
	case common.ContentTypeJSON:
		err = json.Unmarshal(payload, &message)
	case common.ContentTypeCBOR:
		err = r.cbor.Unmarshal(payload, &message)
	default:
		return dtos.Event{}, fmt.Errorf("content type %q: allowed are %s, %s", contentType, common.ContentTypeJSON, common.ContentTypeCBOR)
	}
	if err != nil {
		return dtos.Event{}, fmt.Errorf("reading an event: %w", err)
	}
	if len(message.Request.Readings) > 0 {
		return message.Request, checkEvent(message.Request)
	}
	return message.Event, checkEvent(message.Event)
}

func checkEvent(event dtos.Event) error {
	var errs []error
	for key, name := range map[string]string{"deviceName": event.DeviceName, "profileName": event.ProfileName} {
		if name == "" || len(name) > maxName {
			errs = append(errs, fmt.Errorf("%s of %d bytes: allowed are 1 to %d", key, len(name), maxName))
		}
	}
	if n := len(event.Readings); n == 0 || n > maxReadings {
		errs = append(errs, fmt.Errorf("%d readings: allowed are 1 to %d", n, maxReadings))
	}
	return errors.Join(errs...)
}
