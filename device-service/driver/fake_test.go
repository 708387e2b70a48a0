// SPDX-License-Identifier: Apache-2.0

package driver

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/edgexfoundry/device-sdk-go/v3/pkg/interfaces"
	sdkmodels "github.com/edgexfoundry/device-sdk-go/v3/pkg/models"
	bootstrap "github.com/edgexfoundry/go-mod-bootstrap/v3/bootstrap/interfaces"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/clients/logger"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/models"
	"github.com/labstack/echo/v4"
	gometrics "github.com/rcrowley/go-metrics"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"gopkg.in/yaml.v3"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const waiting = 20 * time.Second // bounds what is waited for

// fakeSDK knows devices and profiles and counts as sent what is taken from its channel.
type fakeSDK struct {
	interfaces.DeviceServiceSDK

	settings map[string]string
	async    chan *sdkmodels.AsyncValues
	found    chan []sdkmodels.DiscoveredDevice
	counter  gometrics.Counter

	mu       sync.Mutex
	devices  map[string]models.Device
	profiles map[string]models.DeviceProfile
	routes   map[string]func(echo.Context) error
	away     bool // core-metadata does not answer
}

func newFakeSDK(t *testing.T) *fakeSDK {
	t.Helper()
	f := &fakeSDK{
		settings: map[string]string{"RetryMin": "1ms", "RetryMax": "5ms"},
		async:    make(chan *sdkmodels.AsyncValues, 1), found: make(chan []sdkmodels.DiscoveredDevice, 1),
		counter: gometrics.NewCounter(), devices: map[string]models.Device{}, profiles: map[string]models.DeviceProfile{},
		routes: map[string]func(echo.Context) error{},
	}
	files, err := filepath.Glob("../../profiles/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		profile := readProfile(t, file)
		f.profiles[profile.Name] = dtos.ToDeviceProfileModel(profile)
	}
	return f
}

func readProfile(t *testing.T, file string) dtos.DeviceProfile {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	var profile dtos.DeviceProfile
	require.NoError(t, yaml.Unmarshal(content, &profile), file)
	return profile
}

func (f *fakeSDK) AsyncReadingsEnabled() bool                                 { return true }
func (f *fakeSDK) AsyncValuesChannel() chan *sdkmodels.AsyncValues            { return f.async }
func (f *fakeSDK) DiscoveredDeviceChannel() chan []sdkmodels.DiscoveredDevice { return f.found }
func (f *fakeSDK) DriverConfigs() map[string]string                           { return f.settings }
func (f *fakeSDK) LoggingClient() logger.LoggingClient                        { return logger.NewMockClient() }

func (f *fakeSDK) MetricsManager() bootstrap.MetricsManager { return fakeMetrics{counter: f.counter} }

func (f *fakeSDK) SecretProvider() bootstrap.SecretProvider { return fakeSecrets{} }

func (f *fakeSDK) Name() string { return "device-sensor-camera" }

type fakeMetrics struct {
	bootstrap.MetricsManager
	counter gometrics.Counter
}

func (f fakeMetrics) GetCounter(string) gometrics.Counter { return f.counter }

type fakeSecrets struct{ bootstrap.SecretProvider }

func (fakeSecrets) GetSecret(name string, _ ...string) (map[string]string, error) {
	if name != "cam" {
		return nil, fmt.Errorf("no secret %s", name)
	}
	return map[string]string{"username": "root", "password": "pass"}, nil
}

func (f *fakeSDK) AddCustomRoute(route string, _ interfaces.Authentication, handler func(echo.Context) error, _ ...string) error {
	f.routes[route] = handler
	return nil
}

func (f *fakeSDK) Devices() []models.Device {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []models.Device
	for _, device := range f.devices {
		all = append(all, device)
	}
	return all
}

func (f *fakeSDK) GetDeviceByName(name string) (models.Device, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	device, ok := f.devices[name]
	if !ok {
		return device, fmt.Errorf("no device %s", name)
	}
	return device, nil
}

func (f *fakeSDK) GetProfileByName(name string) (models.DeviceProfile, error) {
	profile, ok := f.profiles[name]
	if !ok {
		return profile, fmt.Errorf("no profile %s", name)
	}
	return profile, nil
}

func (f *fakeSDK) DeviceResource(name, resource string) (models.DeviceResource, bool) {
	device, err := f.GetDeviceByName(name)
	if err != nil {
		return models.DeviceResource{}, false
	}
	for _, r := range f.profiles[device.ProfileName].DeviceResources {
		if r.Name == resource {
			return r, true
		}
	}
	return models.DeviceResource{}, false
}

func (f *fakeSDK) UpdateDeviceOperatingState(name string, state models.OperatingState) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away {
		return fmt.Errorf("core-metadata is away")
	}
	device := f.devices[name]
	device.OperatingState = state
	f.devices[name] = device
	return nil
}

// set puts a device into the cache, as the SDK does before it calls the driver.
func (f *fakeSDK) set(name, profile string, protocols map[string]models.ProtocolProperties, change ...func(*models.Device)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	device := models.Device{Name: name, ProfileName: profile, Protocols: protocols, AdminState: models.Unlocked, OperatingState: models.Up}
	for _, c := range change {
		c(&device)
	}
	f.devices[name] = device
}

func (f *fakeSDK) remove(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.devices, name)
}

// event takes the next event of a resource and counts it as sent.
func (f *fakeSDK) event(t *testing.T, device, resource string) *sdkmodels.CommandValue {
	t.Helper()
	timeout := time.After(waiting)
	for {
		select {
		case values := <-f.async:
			f.counter.Inc(1)
			if values.DeviceName == device && values.SourceName == resource {
				return values.CommandValues[0]
			}
		case <-timeout:
			t.Fatalf("no event of %s %s", device, resource)
		}
	}
}

// started is a driver that runs the devices that f knows.
func started(t *testing.T, f *fakeSDK) *Driver {
	t.Helper()
	d := New()
	require.NoError(t, d.Initialize(f))
	require.NoError(t, d.Start())
	t.Cleanup(func() { require.NoError(t, d.Stop(false)) })
	return d
}

func belt(more ...any) map[string]models.ProtocolProperties {
	properties := models.ProtocolProperties{"Kind": "conveyor", "Width": 32, "Height": 32, "FrameRate": 100}
	for i := 0; i < len(more); i += 2 {
		properties[more[i].(string)] = more[i+1]
	}
	return map[string]models.ProtocolProperties{"camera": properties}
}
