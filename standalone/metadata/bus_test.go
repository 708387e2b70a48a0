// SPDX-License-Identifier: Apache-2.0

package metadata_test

import (
	"encoding/json"
	"strings"
	"sync"

	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos/requests"
	"github.com/edgexfoundry/go-mod-messaging/v3/pkg/types"
)

// fakeBus plays the device service: it answers validations and keeps what was announced.
type fakeBus struct {
	mu       sync.Mutex
	refusal  string // what ValidateDevice says; "" is fine
	silent   bool
	handlers map[string]func(string, []byte)
	events   []string
}

func (b *fakeBus) Subscribe(filter string, handle func(string, []byte)) (func(), error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.handlers[filter] = handle
	return func() { b.mu.Lock(); delete(b.handlers, filter); b.mu.Unlock() }, nil
}

func (b *fakeBus) Publish(topic string, payload []byte) error {
	var envelope types.MessageEnvelope
	if err := json.Unmarshal(payload, &envelope); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if strings.HasSuffix(topic, "/validate/device") {
		return b.validate(topic, envelope)
	}
	var event dtos.SystemEvent
	if err := json.Unmarshal(envelope.Payload, &event); err != nil {
		return err
	}
	b.events = append(b.events, strings.TrimPrefix(topic, "edgex/system-events/core-metadata/")+" owner="+event.Owner)
	return nil
}

func (b *fakeBus) validate(topic string, envelope types.MessageEnvelope) error {
	var request requests.AddDeviceRequest
	if err := json.Unmarshal(envelope.Payload, &request); err != nil {
		return err
	}
	if topic != "edgex/"+request.Device.ServiceName+"/validate/device" || b.silent {
		return nil
	}
	answer := types.MessageEnvelope{RequestID: envelope.RequestID}
	if b.refusal != "" {
		answer = types.NewMessageEnvelopeWithError(envelope.RequestID, b.refusal)
	}
	body, err := json.Marshal(answer)
	if handle := b.handlers["edgex/response/"+request.Device.ServiceName+"/"+envelope.RequestID]; handle != nil {
		handle("", body)
	}
	return err
}

func (b *fakeBus) announced() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.events...)
}
