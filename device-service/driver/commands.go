// SPDX-License-Identifier: Apache-2.0

package driver

import (
	"context"
	"encoding/json"
	"fmt"

	sdkmodels "github.com/edgexfoundry/device-sdk-go/v3/pkg/models"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/common"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/models"

	"edgex-offload/device-service/appmodels"
	"edgex-offload/device-service/source"
)

// HandleReadCommands answers from what is known: no camera is asked for it. A list of models is
// asked for, so that a command that changed one is seen in it.
func (d *Driver) HandleReadCommands(name string, _ map[string]models.ProtocolProperties, requests []sdkmodels.CommandRequest) ([]*sdkmodels.CommandValue, error) {
	of, err := d.ready(name)
	if err != nil {
		return nil, err
	}
	values := make([]*sdkmodels.CommandValue, len(requests))
	for i, request := range requests {
		if values[i], err = of.read(request); err != nil {
			return nil, fmt.Errorf("device %s: %s: %w", name, request.DeviceResourceName, err)
		}
	}
	return values, nil
}

func (d *device) read(request sdkmodels.CommandRequest) (*sdkmodels.CommandValue, error) {
	status, resource := d.status(), request.DeviceResourceName
	switch role := roleOf(request.Attributes); role {
	case roleSample:
		return d.readSample(resource, status)
	case roleRate:
		return sdkmodels.NewCommandValue(resource, common.ValueTypeFloat64, status.Rate)
	case roleEnabled:
		return sdkmodels.NewCommandValue(resource, common.ValueTypeBool, status.Enabled)
	case roleStatus:
		return sdkmodels.NewCommandValue(resource, common.ValueTypeString, status.String())
	case roleSent:
		return sdkmodels.NewCommandValue(resource, common.ValueTypeUint64, status.Sent)
	case roleDropped:
		return sdkmodels.NewCommandValue(resource, common.ValueTypeUint64, status.TotalDropped())
	case roleReasons:
		reasons, err := json.Marshal(status.Dropped)
		if err != nil {
			return nil, err
		}
		return sdkmodels.NewCommandValue(resource, common.ValueTypeString, string(reasons))
	case roleOutcome:
		return nil, fmt.Errorf("comes from the app service as an event and cannot be read from the device")
	default:
		return nil, fmt.Errorf("attribute %s %q cannot be read", roleAttribute, role)
	}
}

func (d *device) readSample(resource string, status source.Status) (*sdkmodels.CommandValue, error) {
	if resource != d.plan.sample.Name {
		return nil, fmt.Errorf("this device fills %s", d.plan.sample.Name)
	}
	if d.plan.models != nil {
		list, err := d.plan.models.List(context.Background())
		if err != nil {
			return nil, err
		}
		return sdkmodels.NewCommandValue(resource, d.plan.sample.Properties.ValueType, list)
	}
	sample, ok := d.supervisor.Last()
	if !ok {
		return nil, fmt.Errorf("nothing captured yet (%s)", status)
	}
	return delivery{resource: resource, valueType: d.plan.sample.Properties.ValueType, sample: sample}.commandValue()
}

// HandleWriteCommands changes rate and on/off, all of a command or nothing, and has models
// loaded, one after the other until one cannot be.
func (d *Driver) HandleWriteCommands(name string, _ map[string]models.ProtocolProperties, requests []sdkmodels.CommandRequest, params []*sdkmodels.CommandValue) error {
	of, err := d.ready(name)
	if err != nil {
		return err
	}
	changes := make([]func() error, len(requests))
	for i, request := range requests {
		if changes[i], err = of.write(request, params[i]); err != nil {
			return fmt.Errorf("device %s: %s: %w", name, request.DeviceResourceName, err)
		}
	}
	for i, request := range requests {
		if err := changes[i](); err != nil {
			return fmt.Errorf("device %s: %s: %w", name, request.DeviceResourceName, err)
		}
	}
	return nil
}

// write checks one value and returns how to take it over.
func (d *device) write(request sdkmodels.CommandRequest, value *sdkmodels.CommandValue) (func() error, error) {
	switch role := roleOf(request.Attributes); role {
	case roleRate:
		rate, err := value.Float64Value()
		if err != nil {
			return nil, err
		}
		if err := source.CheckRate(rate, d.plan.spec.FreeRate); err != nil {
			return nil, err
		}
		return func() error { return d.supervisor.SetRate(rate) }, nil
	case roleEnabled:
		enabled, err := value.BoolValue()
		return func() error { d.supervisor.SetEnabled(enabled); return nil }, err
	case roleLoad, roleUnload, roleRollback, roleRescan:
		return d.operate(role, value)
	default:
		return nil, fmt.Errorf("attribute %s %q cannot be written: allowed are %s, %s and, of models, %s, %s, %s, %s",
			roleAttribute, role, roleRate, roleEnabled, roleLoad, roleUnload, roleRollback, roleRescan)
	}
}

// operate checks a command of a device that stands for models. The SDK gives a command no
// context: the client's own limit bounds it.
func (d *device) operate(action string, value *sdkmodels.CommandValue) (func() error, error) {
	if d.plan.models == nil {
		return nil, fmt.Errorf("attribute %s %q is for a device of protocol %s alone", roleAttribute, action, appmodels.Protocol)
	}
	if action == roleRescan {
		yes, err := value.BoolValue()
		if err != nil || !yes {
			return func() error { return nil }, err
		}
		return func() error { return d.plan.models.Do(context.Background(), action, "") }, nil
	}
	text, err := value.StringValue()
	if err != nil {
		return nil, err
	}
	return func() error { return d.plan.models.Do(context.Background(), action, text) }, appmodels.Check(action, text)
}

// ready is the device if it runs.
func (d *Driver) ready(name string) (*device, error) {
	of, ok := d.find(name)
	if !ok {
		return nil, fmt.Errorf("device %s does not run: it is not known, or locked", name)
	}
	return of, of.fault
}
