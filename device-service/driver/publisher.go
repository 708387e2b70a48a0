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
	// Pauses of a lane whose events get lost while those of others are sent.
	holdMin, holdMax = time.Second, 30 * time.Second
	// The longest pause while none is sent. The SDK gives none of them up by itself, and an
	// MQTT client takes 5 s to give up one: so they do not pile up.
	stuckMax         = 5 * time.Second
	pollMin, pollMax = 200 * time.Microsecond, 2 * time.Millisecond
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

	row   int          // events in a row, of any lane, that were not confirmed
	fails map[lane]int // of a lane, right after another one's was confirmed
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
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case p.async <- &sdkmodels.AsyncValues{DeviceName: d.device, SourceName: d.resource, CommandValues: []*sdkmodels.CommandValue{value}}:
	case <-timer.C:
	case <-ctx.Done():
	}
	switch {
	case p.moved(ctx, before, patience):
		p.confirmed(d)
		d.settle("")
	case ctx.Err() == nil:
		d.settle(source.BusStuck)
		p.unconfirmed(ctx, d, before)
	default:
		d.settle(source.BusStuck)
	}
}

// moved waits until the SDK has sent more than before; false is that it did not in time.
func (p *publisher) moved(ctx context.Context, before int64, limit time.Duration) bool {
	deadline := time.Now().Add(limit)
	for pause := pollMin; p.sent() == before; pause = min(2*pause, pollMax) {
		if ctx.Err() != nil || time.Now().After(deadline) {
			return false
		}
		time.Sleep(pause)
	}
	return true
}

func (p *publisher) confirmed(d delivery) {
	if p.row > 1 {
		p.log.Infof("the message bus takes events again")
	}
	p.row = 0
	if p.fails[d.lane()] > 0 {
		p.log.Infof("device %s: events of %s go out again", d.device, d.resource)
		delete(p.fails, d.lane())
		p.outbox.hold(d.lane(), 0)
	}
}

// unconfirmed finds out whom to blame. When the event before was sent, it is the lane,
// which is put on hold so that it does not cost the others patience each time. When it was
// not either, it is the bus, which is left alone until it sends what it has, or for a while.
func (p *publisher) unconfirmed(ctx context.Context, d delivery, before int64) {
	l := d.lane()
	if p.row++; p.row == 1 {
		if p.fails[l] == 0 {
			p.log.Warnf("device %s: an event of %s was not sent within %v: is MaxEventSize larger than Driver.MaxFrameBytes, and the message bus up?", d.device, d.resource, patience)
		}
		p.outbox.hold(l, min(holdMax, holdMin<<min(p.fails[l], 10)))
		p.fails[l]++
		return
	}
	if p.row == 2 {
		p.log.Warnf("the message bus takes no events; the newest of each source is kept")
	}
	p.moved(ctx, before, min(time.Duration(p.row)*time.Second, stuckMax))
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
