// SPDX-License-Identifier: Apache-2.0

package metadata_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	client "github.com/edgexfoundry/go-mod-core-contracts/v3/clients/http"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/clients/interfaces"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos/requests"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/errors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"edgex-offload/standalone/metadata"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// desk is a running server and the clients a device service has.
type desk struct {
	bus      *fakeBus
	services interfaces.DeviceServiceClient
	profiles interfaces.DeviceProfileClient
	devices  interfaces.DeviceClient
	watchers interfaces.ProvisionWatcherClient
	url      string
}

func newDesk(t *testing.T) desk {
	t.Helper()
	bus := &fakeBus{handlers: map[string]func(string, []byte){}}
	server, err := metadata.Start(metadata.Options{Bus: bus, Log: slog.New(slog.DiscardHandler), ValidateTimeout: 300 * time.Millisecond})
	require.NoError(t, err)
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		assert.NoError(t, server.Close())
	})
	url := fmt.Sprintf("http://127.0.0.1:%d", server.Port())
	return desk{
		bus:      bus,
		services: client.NewDeviceServiceClient(url, nil, false),
		profiles: client.NewDeviceProfileClient(url, nil, false),
		devices:  client.NewDeviceClient(url, nil, false),
		watchers: client.NewProvisionWatcherClient(url, nil, false),
		url:      url,
	}
}

func camera(name string) dtos.Device {
	return dtos.Device{
		Name: name, ServiceName: "device-x", ProfileName: "cam", AdminState: "UNLOCKED", OperatingState: "UP",
		Protocols: map[string]dtos.ProtocolProperties{"camera": {"Source": "folder"}},
	}
}

func camProfile() dtos.DeviceProfile {
	return dtos.DeviceProfile{
		DeviceProfileBasicInfo: dtos.DeviceProfileBasicInfo{Name: "cam"},
		DeviceResources: []dtos.DeviceResource{{
			Name:       "Frame",
			Properties: dtos.ResourceProperties{ValueType: "binary", ReadWrite: "R", MediaType: "image/jpeg"},
		}},
	}
}

// register does what a device service does when it starts on an empty core-metadata.
func (d desk) register(t *testing.T) {
	t.Helper()
	ctx := context.Background()
	_, err := d.services.DeviceServiceByName(ctx, "device-x")
	require.Equal(t, errors.KindEntityDoesNotExist, errors.Kind(err))
	added, err := d.services.Add(ctx, []requests.AddDeviceServiceRequest{requests.NewAddDeviceServiceRequest(
		dtos.DeviceService{Name: "device-x", BaseAddress: "http://localhost:59950", AdminState: "UNLOCKED"})})
	require.NoError(t, asError(err))
	require.Equal(t, http.StatusCreated, added[0].StatusCode)
	require.NotEmpty(t, added[0].Id)
	_, err = d.profiles.DeviceProfileByName(ctx, "cam")
	require.Equal(t, errors.KindEntityDoesNotExist, errors.Kind(err))
	made, err := d.profiles.Add(ctx, []requests.DeviceProfileRequest{requests.NewDeviceProfileRequest(camProfile())})
	require.NoError(t, asError(err))
	require.Equal(t, http.StatusCreated, made[0].StatusCode)
}

// asError keeps a nil EdgeX from becoming a non-nil error.
func asError(err errors.EdgeX) error {
	if err == nil {
		return nil
	}
	return err
}

func (d desk) add(t *testing.T, device dtos.Device) (status int, message string) {
	t.Helper()
	answers, err := d.devices.Add(context.Background(), []requests.AddDeviceRequest{requests.NewAddDeviceRequest(device)})
	require.NoError(t, asError(err))
	require.Len(t, answers, 1)
	return answers[0].StatusCode, answers[0].Message
}

func TestADeviceServiceRegistersAndIsToldOfItsDevices(t *testing.T) {
	d, ctx := newDesk(t), context.Background()
	empty, err := d.devices.DevicesByServiceName(ctx, "device-x", 0, -1)
	require.NoError(t, asError(err))
	require.Empty(t, empty.Devices)
	d.register(t)

	profile, err := d.profiles.DeviceProfileByName(ctx, "cam")
	require.NoError(t, asError(err))
	assert.Equal(t, "Binary", profile.Profile.DeviceResources[0].Properties.ValueType, "the value type is normalised")

	status, message := d.add(t, camera("c1"))
	require.Equal(t, http.StatusCreated, status, message)
	mine, err := d.devices.DevicesByServiceName(ctx, "device-x", 0, -1)
	require.NoError(t, asError(err))
	require.Len(t, mine.Devices, 1)
	assert.Equal(t, "folder", mine.Devices[0].Protocols["camera"]["Source"])

	down, name := "DOWN", "c1"
	updated, err := d.devices.Update(ctx, []requests.UpdateDeviceRequest{requests.NewUpdateDeviceRequest(dtos.UpdateDevice{Name: &name, OperatingState: &down})})
	require.NoError(t, asError(err))
	assert.Equal(t, http.StatusOK, updated[0].StatusCode)
	one, err := d.devices.DeviceByName(ctx, "c1")
	require.NoError(t, asError(err))
	assert.Equal(t, "DOWN", one.Device.OperatingState)
	assert.Equal(t, "cam", one.Device.ProfileName, "what the update does not name stays")

	_, err = d.devices.DeleteDeviceByName(ctx, "c1")
	require.NoError(t, asError(err))
	_, err = d.devices.DeviceByName(ctx, "c1")
	assert.Equal(t, errors.KindEntityDoesNotExist, errors.Kind(err))

	assert.Equal(t, []string{
		"deviceservice/add/device-x owner=device-x",
		"device/add/device-x/cam owner=device-x",
		"device/update/device-x/cam owner=device-x",
		"device/delete/device-x/cam owner=device-x",
	}, d.bus.announced())
}

func TestADeviceThatCannotBeIsRefusedWithTheReason(t *testing.T) {
	type fault struct {
		name   string
		spoil  func(*desk, *dtos.Device)
		status int
		says   string
	}
	for _, c := range []fault{
		{"its service refuses it", func(d *desk, _ *dtos.Device) { d.bus.refusal = "name 'a.b': no dots" }, 500, "no dots"},
		{"its service is silent", func(d *desk, _ *dtos.Device) { d.bus.silent = true }, 500, "no answer from service 'device-x'"},
		{"unknown profile", func(_ *desk, c *dtos.Device) { c.ProfileName = "other" }, 404, "device profile 'other'"},
		{"unknown service", func(_ *desk, c *dtos.Device) { c.ServiceName = "other" }, 404, "device service 'other'"},
		{"taken name", func(d *desk, c *dtos.Device) { d.add(t, *c) }, 409, "'c1' already exists"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			d.register(t)
			device := camera("c1")
			c.spoil(&d, &device)
			status, message := d.add(t, device)
			assert.Equal(t, c.status, status)
			assert.Contains(t, message, c.says)
		})
	}
}

func TestARequestThatBreaksTheContractIsRefusedAsAWhole(t *testing.T) {
	d := newDesk(t)
	d.register(t)
	device := camera("c1")
	device.Protocols = nil
	_, err := d.devices.Add(context.Background(), []requests.AddDeviceRequest{{Device: device}})
	require.Error(t, err)
	assert.Equal(t, http.StatusBadRequest, err.Code())
	assert.Contains(t, err.Error(), "Protocols")

	response, httpErr := http.Post(d.url+"/api/v3/device", "application/json", strings.NewReader("{"))
	require.NoError(t, httpErr)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusBadRequest, response.StatusCode)
}

func TestAProfileInUseStays(t *testing.T) {
	d, ctx := newDesk(t), context.Background()
	d.register(t)
	d.add(t, camera("c1"))
	_, err := d.profiles.DeleteByName(ctx, "cam")
	require.Error(t, err)
	assert.Equal(t, http.StatusConflict, err.Code())

	changed := camProfile()
	changed.Description = "changed"
	updated, err := d.profiles.Update(ctx, []requests.DeviceProfileRequest{requests.NewDeviceProfileRequest(changed)})
	require.NoError(t, asError(err))
	assert.Equal(t, http.StatusOK, updated[0].StatusCode)
	assert.Contains(t, d.bus.announced(), "deviceprofile/update/device-x owner=device-x")

	_, err = d.devices.DeleteDeviceByName(ctx, "c1")
	require.NoError(t, asError(err))
	_, err = d.profiles.DeleteByName(ctx, "cam")
	require.NoError(t, asError(err))
}

func TestAProvisionWatcherIsKeptForItsService(t *testing.T) {
	d, ctx := newDesk(t), context.Background()
	d.register(t)
	watcher := dtos.ProvisionWatcher{
		Name: "w", ServiceName: "device-x", AdminState: "UNLOCKED", Identifiers: map[string]string{"address": ".*"},
		DiscoveredDevice: dtos.DiscoveredDevice{ProfileName: "cam", AdminState: "UNLOCKED"},
	}
	added, err := d.watchers.Add(ctx, []requests.AddProvisionWatcherRequest{requests.NewAddProvisionWatcherRequest(watcher)})
	require.NoError(t, asError(err))
	require.Equal(t, http.StatusCreated, added[0].StatusCode)
	locked, name := "LOCKED", "w"
	_, err = d.watchers.Update(ctx, []requests.UpdateProvisionWatcherRequest{requests.NewUpdateProvisionWatcherRequest(
		dtos.UpdateProvisionWatcher{Name: &name, AdminState: &locked})})
	require.NoError(t, asError(err))
	mine, err := d.watchers.ProvisionWatchersByServiceName(ctx, "device-x", 0, -1)
	require.NoError(t, asError(err))
	require.Len(t, mine.ProvisionWatchers, 1)
	assert.Equal(t, "LOCKED", mine.ProvisionWatchers[0].AdminState)
	none, err := d.watchers.ProvisionWatchersByServiceName(ctx, "device-y", 0, -1)
	require.NoError(t, asError(err))
	assert.Empty(t, none.ProvisionWatchers)
	_, err = d.watchers.DeleteProvisionWatcherByName(ctx, "w")
	require.NoError(t, asError(err))
}

func TestLongListsComeInPages(t *testing.T) {
	d, ctx := newDesk(t), context.Background()
	d.register(t)
	for i := range 5 {
		status, message := d.add(t, camera(fmt.Sprintf("c%d", i)))
		require.Equal(t, http.StatusCreated, status, message)
	}
	for _, c := range []struct {
		offset, limit int
		want          []string
	}{{0, 2, []string{"c0", "c1"}}, {4, 2, []string{"c4"}}, {9, 2, nil}, {0, -1, []string{"c0", "c1", "c2", "c3", "c4"}}, {2, 0, nil}} {
		answer, err := d.devices.AllDevices(ctx, nil, c.offset, c.limit)
		require.NoError(t, asError(err))
		assert.EqualValues(t, 5, answer.TotalCount)
		var names []string
		for _, device := range answer.Devices {
			names = append(names, device.Name)
		}
		assert.Equal(t, c.want, names, "offset %d, limit %d", c.offset, c.limit)
	}
}
