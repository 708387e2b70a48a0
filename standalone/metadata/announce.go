// SPDX-License-Identifier: Apache-2.0

package metadata

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/edgexfoundry/go-mod-core-contracts/v3/common"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos/requests"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/errors"
	"github.com/edgexfoundry/go-mod-messaging/v3/pkg/types"
)

// announce publishes a system event for the service that owns the object. A device's
// topic ends with its profile, the others' end with the owner.
func (s *Server) announce(kind, action, owner string, details any) {
	topic := common.BuildTopic(common.DefaultBaseTopic, common.SystemEventPublishTopic, common.CoreMetaDataServiceKey, kind, action, owner)
	if device, ok := details.(dtos.Device); ok {
		topic = common.BuildTopic(topic, device.ProfileName)
	}
	event := dtos.NewSystemEvent(kind, action, common.CoreMetaDataServiceKey, owner, nil, details)
	if err := s.send(topic, event); err != nil {
		s.log.Error("system event not published", "topic", topic, "error", err)
		return
	}
	s.log.Info("system event", "topic", topic)
}

func (s *Server) send(topic string, payload any) error {
	body, err := json.Marshal(payload)
	if err != nil {
		return fmt.Errorf("encode %T: %w", payload, err)
	}
	return s.publish(topic, types.NewMessageEnvelopeForRequest(body, nil))
}

func (s *Server) publish(topic string, envelope types.MessageEnvelope) error {
	message, err := json.Marshal(envelope)
	if err != nil {
		return fmt.Errorf("encode envelope: %w", err)
	}
	return s.bus.Publish(topic, message)
}

// validate asks the device's own service, over the bus, whether it can serve the device.
func (s *Server) validate(ctx context.Context, device dtos.Device) errors.EdgeX {
	body, err := json.Marshal(requests.NewAddDeviceRequest(device))
	if err != nil {
		return errors.NewCommonEdgeX(errors.KindServerError, "encode the device for its validation", err)
	}
	request := types.NewMessageEnvelopeForRequest(body, nil)
	answers := make(chan []byte, 1)
	cancel, err := s.bus.Subscribe(
		common.BuildTopic(common.DefaultBaseTopic, common.ResponseTopic, device.ServiceName, request.RequestID),
		func(_ string, payload []byte) {
			select {
			case answers <- append([]byte(nil), payload...):
			default: // one answer is enough
			}
		})
	if err != nil {
		return errors.NewCommonEdgeX(errors.KindServerError, "wait for the device's validation", err)
	}
	defer cancel()
	topic := common.BuildTopic(common.DefaultBaseTopic, device.ServiceName, common.ValidateDeviceSubscribeTopic)
	if err := s.publish(topic, request); err != nil {
		return errors.NewCommonEdgeX(errors.KindServerError, "ask for the device's validation", err)
	}
	timer := time.NewTimer(s.validateTimeout)
	defer timer.Stop()
	select {
	case answer := <-answers:
		return verdict(device, answer)
	case <-timer.C:
	case <-ctx.Done():
	}
	return errors.NewCommonEdgeX(errors.KindServerError,
		fmt.Sprintf("device '%s': no answer from service '%s' to its validation in %s", device.Name, device.ServiceName, s.validateTimeout), ctx.Err())
}

func verdict(device dtos.Device, answer []byte) errors.EdgeX {
	var envelope types.MessageEnvelope
	if err := json.Unmarshal(answer, &envelope); err != nil {
		return errors.NewCommonEdgeX(errors.KindServerError, "decode the device's validation", err)
	}
	if envelope.ErrorCode != 0 {
		return errors.NewCommonEdgeX(errors.KindServerError, fmt.Sprintf("device '%s' validation failed: %s", device.Name, envelope.Payload), nil)
	}
	return nil
}
