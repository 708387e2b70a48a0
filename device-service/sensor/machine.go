// SPDX-License-Identifier: Apache-2.0

package sensor

import (
	"context"
	"fmt"

	"edgex-offload/device-service/properties"
	"edgex-offload/device-service/source"
	"edgex-offload/synth/machine"
)

// MachineProtocol is the name under which a device carries the properties of a machine.
const MachineProtocol = "machine"

// NewMachine makes the synthetic machine that the protocol properties describe: WindowRate
// in windows per second (2), Enabled and Seed (1).
func NewMachine(values map[string]any) (source.Spec, error) {
	p := properties.Read(MachineProtocol, values)
	spec := source.Spec{
		Source:  &rotor{seed: p.Integer("Seed", 1, 0, 1<<53)},
		Rate:    p.Number("WindowRate", 2, source.MinRate, source.MaxRate),
		Enabled: p.Bool("Enabled", true),
	}
	return spec, p.Err()
}

// rotor is a vibration sensor on a synthetic machine whose condition changes, with the
// truth beside each window. Each run starts the machine anew.
type rotor struct{ seed int64 }

// Run implements source.Source.
func (r *rotor) Run(ctx context.Context, feed *source.Feed) error {
	rotor := machine.New(r.seed)
	for {
		if err := feed.Wait(ctx); err != nil {
			return err
		}
		window, truth := rotor.Next()
		values := make([]float32, 0, len(window)*len(window[0]))
		for _, axis := range window {
			values = append(values, axis[:]...)
		}
		feed.Emit(source.Sample{
			Value: littleEndian(values),
			Shape: fmt.Sprintf("%dx%d", len(window), len(window[0])),
			Truth: truth,
		})
	}
}
