// SPDX-License-Identifier: Apache-2.0

package driver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/edgexfoundry/device-sdk-go/v3/pkg/interfaces"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/models"
)

// stopWithin bounds how long the end of a source is waited for: a file on a mount that
// hangs cannot be told to end.
const stopWithin = 5 * time.Second

// Driver implements interfaces.ProtocolDriver. Create it with New.
type Driver struct {
	sdk       interfaces.DeviceServiceSDK
	settings  settings
	outbox    *outbox
	publisher *publisher
	reporter  *reporter

	changes sync.Mutex // held while devices are added, changed and removed, one after the other
	ctx     context.Context
	cancel  context.CancelFunc // nil before Start and after Stop
	workers sync.WaitGroup     // publisher and reporter

	mu      sync.RWMutex
	devices map[string]*device
}

var _ interfaces.ProtocolDriver = (*Driver)(nil)

// New makes a driver for the SDK to initialize.
func New() *Driver { return &Driver{devices: map[string]*device{}} }

// Initialize reads the configuration, all of it, and adds the routes.
func (d *Driver) Initialize(sdk interfaces.DeviceServiceSDK) error {
	d.sdk = sdk
	if !sdk.AsyncReadingsEnabled() {
		return errors.New("Device.EnableAsyncReadings is false: allowed is true, because frames are pushed")
	}
	if cap(sdk.AsyncValuesChannel()) == 0 {
		return errors.New("Device.AsyncBufferSize is 0: allowed are 1, which keeps the order best, and more")
	}
	var err error
	if d.settings, err = readSettings(sdk.DriverConfigs()); err != nil {
		return err
	}
	d.outbox = newOutbox()
	d.reporter = newReporter(d.believed, sdk.UpdateDeviceOperatingState)
	return d.addRoutes()
}

// Start runs the sources of all devices that are known by now. None that fails keeps the
// service from starting.
func (d *Driver) Start() error {
	counter := d.sdk.MetricsManager().GetCounter("EventsSent")
	if counter == nil {
		return errors.New("the SDK's metric EventsSent is not registered")
	}
	d.publisher = &publisher{
		outbox: d.outbox, async: d.sdk.AsyncValuesChannel(), sent: counter.Count, log: d.sdk.LoggingClient(),
		fails: map[lane]int{},
		known: func(device, resource string) bool {
			_, ok := d.sdk.DeviceResource(device, resource)
			return ok
		},
	}
	d.changes.Lock()
	d.ctx, d.cancel = context.WithCancel(context.Background())
	d.workers.Go(func() { d.publisher.run(d.ctx) })
	d.workers.Go(func() { d.reporter.run(d.ctx) })
	d.changes.Unlock()
	for _, known := range d.sdk.Devices() {
		if err := d.apply(known.Name); err != nil {
			d.sdk.LoggingClient().Errorf("device %s: %v", known.Name, err)
		}
	}
	return nil
}

// Stop ends all sources and waits for them. It may be called before Start.
func (d *Driver) Stop(bool) error {
	d.changes.Lock()
	defer d.changes.Unlock()
	if d.cancel == nil {
		return nil
	}
	d.cancel()
	d.cancel = nil
	var hung []string
	for _, device := range d.all() {
		if !device.stop() {
			hung = append(hung, device.name)
		}
	}
	if !within(stopWithin, d.workers.Wait) {
		hung = append(hung, "(report to core-metadata)")
	}
	if len(hung) > 0 {
		return fmt.Errorf("not ended within %v: %s", stopWithin, strings.Join(hung, ", "))
	}
	return nil
}

// within says whether wait returned in time.
func within(limit time.Duration, wait func()) bool {
	done := make(chan struct{})
	go func() {
		wait()
		close(done)
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// believed is the OperatingState that the SDK knows of.
func (d *Driver) believed(device string) (models.OperatingState, bool) {
	known, err := d.sdk.GetDeviceByName(device)
	return known.OperatingState, err == nil
}

// secret looks up credentials in EdgeX's secret store.
func (d *Driver) secret(name string) (user, password string, err error) {
	values, err := d.sdk.SecretProvider().GetSecret(name, "username", "password")
	if err != nil {
		return "", "", fmt.Errorf("secret %q with username and password: %w", name, err)
	}
	return values["username"], values["password"], nil
}

// clientID makes an id for a connection to a broker, which ends an older connection of
// the same id.
func (d *Driver) clientID() string { return d.sdk.Name() + "-" + rand.Text()[:8] }
