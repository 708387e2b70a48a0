// SPDX-License-Identifier: Apache-2.0

package driver

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/edgexfoundry/go-mod-core-contracts/v3/common"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/models"

	"edgex-offload/device-service/source"
)

// device is one device that is not locked. Where its description is wrong, it has a fault
// and no supervisor.
type device struct {
	name  string
	plan  plan
	fault error

	supervisor *source.Supervisor
	cancel     context.CancelFunc
	done       chan struct{} // closed when the source has ended
}

// stop ends the source; false is that it did not end in time.
func (d *device) stop() bool {
	if d.fault != nil {
		return true
	}
	d.cancel()
	timer := time.NewTimer(stopWithin)
	defer timer.Stop()
	select {
	case <-d.done:
		return true
	case <-timer.C:
		return false
	}
}

// status is the health of the device, also of one with a fault.
func (d *device) status() source.Status {
	if d.fault != nil {
		return source.Status{State: source.Down, Detail: d.fault.Error()}
	}
	return d.supervisor.Status()
}

// ValidateDevice says what is wrong with a device before core-metadata takes it in.
func (d *Driver) ValidateDevice(device models.Device) error {
	if err := checkName("device", device.Name); err != nil {
		return err
	}
	if err := checkName("profile", device.ProfileName); err != nil {
		return err
	}
	profile, err := d.sdk.GetProfileByName(device.ProfileName)
	if err == nil {
		_, err = d.plan(device, profile)
		return err
	}
	// The SDK learns of a profile with its first device: without it, all but what
	// depends on the value type is checked.
	protocol, values, err := protocolOf(device)
	if err == nil {
		binary := models.DeviceResource{Properties: models.ResourceProperties{ValueType: common.ValueTypeBinary}}
		_, err = d.spec(protocol, values, binary)
	}
	return err
}

// AddDevice runs the source of a device.
func (d *Driver) AddDevice(name string, _ map[string]models.ProtocolProperties, _ models.AdminState) error {
	return d.apply(name)
}

// UpdateDevice runs the source anew if what the device or its profile say of it changed.
// It is also called for each change of OperatingState.
func (d *Driver) UpdateDevice(name string, _ map[string]models.ProtocolProperties, _ models.AdminState) error {
	return d.apply(name)
}

// RemoveDevice ends the source of a device.
func (d *Driver) RemoveDevice(name string, _ map[string]models.ProtocolProperties) error {
	return d.apply(name)
}

// apply brings what runs in line with what the SDK knows of a device.
func (d *Driver) apply(name string) error {
	d.changes.Lock()
	defer d.changes.Unlock()
	if d.cancel == nil {
		return nil // Start takes in all that are known by then
	}
	known, err := d.sdk.GetDeviceByName(name)
	if err != nil || known.AdminState == models.Locked {
		d.drop(name)
		return nil
	}
	next, err := d.planKnown(known)
	if err != nil {
		d.drop(name)
		d.keep(&device{name: name, fault: err})
		d.reporter.report(name, models.Down)
		return err
	}
	d.reporter.heard(name)
	if running, ok := d.find(name); ok && running.fault == nil && running.plan.fingerprint == next.fingerprint {
		return nil
	}
	d.drop(name)
	d.run(name, next)
	return nil
}

func (d *Driver) planKnown(known models.Device) (plan, error) {
	if err := checkName("device", known.Name); err != nil {
		return plan{}, err
	}
	profile, err := d.sdk.GetProfileByName(known.ProfileName)
	if err != nil {
		return plan{}, err
	}
	return d.plan(known, profile)
}

// run starts the source of a device.
func (d *Driver) run(name string, p plan) {
	ctx, cancel := context.WithCancel(d.ctx)
	running := &device{name: name, plan: p, cancel: cancel, done: make(chan struct{})}
	running.supervisor = source.New(name, p.spec.Source, source.Options{
		Rate: p.spec.Rate, FreeRate: p.spec.FreeRate, Enabled: p.spec.Enabled, Silence: p.spec.Silence,
		FailuresToDown: d.settings.failuresToDown, RetryMin: d.settings.retryMin, RetryMax: d.settings.retryMax,
		Rand: rand.Float64, Log: d.sdk.LoggingClient(),
		Deliver: func(s source.Sample) {
			d.outbox.put(delivery{
				device: name, resource: p.sample.Name, valueType: p.sample.Properties.ValueType, sample: s,
				settle: running.supervisor.Settle,
			})
		},
		Changed: func(s source.Status) { d.changed(running, s) },
	})
	d.keep(running)
	go func() {
		defer close(running.done)
		running.supervisor.Run(ctx)
	}()
}

// changed takes note of the health of a source, and must not block it.
func (d *Driver) changed(of *device, s source.Status) {
	switch s.State {
	case source.Running:
		d.reporter.report(of.name, models.Up)
	case source.Down:
		d.reporter.report(of.name, models.Down)
	}
	if of.plan.status.Name == "" {
		return
	}
	d.outbox.put(delivery{
		device: of.name, resource: of.plan.status.Name, valueType: common.ValueTypeString,
		sample: source.Sample{Captured: s.Since, Value: s.String()}, settle: func(source.Reason) {},
	})
}

// drop ends and forgets a device.
func (d *Driver) drop(name string) {
	running, ok := d.find(name)
	if !ok {
		return
	}
	if !running.stop() {
		d.sdk.LoggingClient().Errorf("device %s: its source did not end within %v", name, stopWithin)
	}
	d.outbox.forget(name)
	d.reporter.forget(name)
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.devices, name)
}

func (d *Driver) keep(of *device) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.devices[of.name] = of
}

func (d *Driver) find(name string) (*device, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	of, ok := d.devices[name]
	return of, ok
}

// all is the devices by name.
func (d *Driver) all() []*device {
	d.mu.RLock()
	defer d.mu.RUnlock()
	all := make([]*device, 0, len(d.devices))
	for _, name := range slices.Sorted(maps.Keys(d.devices)) {
		all = append(all, d.devices[name])
	}
	return all
}
