// SPDX-License-Identifier: Apache-2.0

package driver

import (
	"context"
	"strconv"
	"time"

	sdkmodels "github.com/edgexfoundry/device-sdk-go/v3/pkg/models"

	"edgex-offload/device-service/source"
)

const (
	// How long the SDK may take for one event. Encoding and publishing 2 MB take 30 ms.
	patience = time.Second
	// Pauses of a lane whose events are not confirmed: each leaves a sample in the SDK,
	// which gives up none of them while the bus is stuck.
	holdMin, holdMax = time.Second, 30 * time.Second
	pollMin, pollMax = 200 * time.Microsecond, 10 * time.Millisecond
)

// publisher hands samples to the SDK, one at a time.
type publisher struct {
	outbox *outbox
	async  chan<- *sdkmodels.AsyncValues
	// sent counts the events that the SDK published.
	sent func() int64
	// known says whether the SDK knows the resource of the device. It is asked right
	// before a value goes, because the SDK ends the whole process on a value of a device
	// that it no longer knows, and on short binaries of a resource that it does not know.
	known func(device, resource string) bool
	log   source.Logger

	unconfirmed map[lane]int // in a row
}

func (p *publisher) run(ctx context.Context) {
	for {
		d, ok := p.outbox.take(ctx)
		if !ok {
			return
		}
		p.publish(ctx, d)
	}
}

func (p *publisher) publish(ctx context.Context, d delivery) {
	value, err := d.commandValue()
	if err != nil {
		p.log.Warnf("device %s: %s: %v", d.device, d.resource, err)
		d.settle(source.BadValue)
		return
	}
	if !p.known(d.device, d.resource) {
		d.settle(source.DeviceGone)
		return
	}
	before := p.sent()
	deadline := time.Now().Add(patience)
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case p.async <- &sdkmodels.AsyncValues{DeviceName: d.device, SourceName: d.resource, CommandValues: []*sdkmodels.CommandValue{value}}:
	case <-timer.C:
	case <-ctx.Done():
	}
	p.settle(d, p.confirm(ctx, before, deadline))
}

// confirm waits until the SDK has sent an event more.
func (p *publisher) confirm(ctx context.Context, before int64, deadline time.Time) bool {
	for pause := pollMin; p.sent() == before; pause = min(2*pause, pollMax) {
		if ctx.Err() != nil || time.Now().After(deadline) {
			return false
		}
		time.Sleep(pause)
	}
	return true
}

// settle closes the account of d, and puts its lane on hold where it was not confirmed.
func (p *publisher) settle(d delivery, confirmed bool) {
	l := d.lane()
	failures := p.unconfirmed[l]
	if confirmed {
		if failures > 0 {
			p.log.Infof("device %s: events of %s go out again", d.device, d.resource)
			p.outbox.hold(l, 0)
			delete(p.unconfirmed, l)
		}
		d.settle("")
		return
	}
	if failures == 0 {
		p.log.Warnf("device %s: an event of %s was not sent within %v: is the message bus up, and MaxEventSize larger than Driver.MaxFrameBytes?", d.device, d.resource, patience)
	}
	p.unconfirmed[l] = failures + 1
	p.outbox.hold(l, min(holdMax, holdMin<<min(failures, 10)))
	d.settle(source.BusStuck)
}

// commandValue is the reading of a sample. The SDK makes its tags tags of the event.
func (d delivery) commandValue() (*sdkmodels.CommandValue, error) {
	value, err := sdkmodels.NewCommandValueWithOrigin(d.resource, d.valueType, d.sample.Value, d.sample.Captured.UnixNano())
	if err != nil {
		return nil, err
	}
	value.Tags["captured"] = strconv.FormatInt(d.sample.Captured.UnixNano(), 10)
	if d.sample.Seq > 0 {
		value.Tags["seq"] = strconv.FormatUint(d.sample.Seq, 10)
	}
	for tag, text := range map[string]string{"truth": d.sample.Truth, "shape": d.sample.Shape} {
		if text != "" {
			value.Tags[tag] = text
		}
	}
	return value, nil
}
