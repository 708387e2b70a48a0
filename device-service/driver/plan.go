// SPDX-License-Identifier: Apache-2.0

package driver

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/edgexfoundry/go-mod-core-contracts/v3/common"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/models"

	"edgex-offload/device-service/appmodels"
	"edgex-offload/device-service/camera"
	"edgex-offload/device-service/properties"
	"edgex-offload/device-service/sensor"
	"edgex-offload/device-service/source"
)

// plan is what a device asks for.
type plan struct {
	spec        source.Spec
	sample      models.DeviceResource
	status      models.DeviceResource // without a name where the profile has none
	models      *appmodels.Client     // of a device that stands for models; nil of others
	fingerprint string                // the same as long as nothing of it changes
}

// protocols are those of which a device has exactly one.
var protocols = [...]string{camera.Protocol, sensor.MachineProtocol, sensor.MQTTProtocol, appmodels.Protocol}

// plan reads a device against its profile.
func (d *Driver) plan(device models.Device, profile models.DeviceProfile) (plan, error) {
	protocol, values, err := protocolOf(device)
	if err != nil {
		return plan{}, err
	}
	wanted := ""
	if protocol == sensor.MQTTProtocol {
		wanted = properties.Read(protocol, values).Text("Resource", "")
	}
	p := plan{}
	if p.sample, err = withRole(profile, roleSample, wanted); err != nil {
		return plan{}, err
	}
	p.status, _ = withRole(profile, roleStatus, "")
	if p.spec, err = d.spec(protocol, values, p.sample); err != nil {
		return plan{}, err
	}
	p.models, _ = p.spec.Source.(*appmodels.Client)
	p.fingerprint = fmt.Sprintf("%s %s %s %s\n%s", p.sample.Name, p.sample.Properties.ValueType, p.sample.Properties.MediaType,
		p.status.Name, properties.Fingerprint(map[string]map[string]any{protocol: values}))
	return p, nil
}

// spec makes the source for a resource.
func (d *Driver) spec(protocol string, values map[string]any, resource models.DeviceResource) (source.Spec, error) {
	valueType := resource.Properties.ValueType
	if protocol == appmodels.Protocol {
		return modelsSpec(values, resource)
	}
	if protocol != sensor.MQTTProtocol && valueType != common.ValueTypeBinary {
		return source.Spec{}, fmt.Errorf("resource %s of value type %s: a %s fills %s", resource.Name, valueType, protocol, common.ValueTypeBinary)
	}
	limits := camera.Limits{Bytes: d.settings.maxFrameBytes, Pixels: d.settings.maxFramePixels}
	switch protocol {
	case camera.Protocol:
		return camera.New(values, camera.Environment{Limits: limits, Secret: d.secret})
	case sensor.MachineProtocol:
		return sensor.NewMachine(values)
	default:
		if !slices.Contains(sensor.ValueTypes(), valueType) {
			return source.Spec{}, fmt.Errorf("resource %s of value type %s: mqtt fills %s", resource.Name, valueType, strings.Join(sensor.ValueTypes(), ", "))
		}
		return sensor.NewMQTT(values, sensor.Resource{Type: valueType, MediaType: resource.Properties.MediaType},
			sensor.Environment{MaxBytes: limits.Bytes, CheckJPEG: limits.Check, Secret: d.secret, ClientID: d.clientID})
	}
}

func modelsSpec(values map[string]any, resource models.DeviceResource) (source.Spec, error) {
	spec, _, err := appmodels.New(values)
	// Without its profile the resource is not known yet.
	if valueType := resource.Properties.ValueType; resource.Name != "" && valueType != common.ValueTypeString {
		err = errors.Join(err, fmt.Errorf("resource %s of value type %s: %s fills %s", resource.Name, valueType, appmodels.Protocol, common.ValueTypeString))
	}
	return spec, err
}

func protocolOf(device models.Device) (string, map[string]any, error) {
	var found []string
	for _, protocol := range protocols {
		if _, ok := device.Protocols[protocol]; ok {
			found = append(found, protocol)
		}
	}
	if len(found) != 1 {
		return "", nil, fmt.Errorf("protocols %v: allowed is exactly one of %s",
			slices.Sorted(maps.Keys(device.Protocols)), strings.Join(protocols[:], ", "))
	}
	return found[0], device.Protocols[found[0]], nil
}

// Names become levels of topics. A '.' would be swapped for '/' on a Redis bus; '/', '+',
// '#' and '*' separate levels or stand for others.
var allowedName = regexp.MustCompile(`^[A-Za-z0-9_~:;=-]{1,128}$`)

func checkName(what, name string) error {
	if !allowedName.MatchString(name) {
		return fmt.Errorf("%s name %q: allowed are 1 to 128 letters, digits and - _ ~ : ; =, because it becomes a level of a topic", what, name)
	}
	return nil
}
