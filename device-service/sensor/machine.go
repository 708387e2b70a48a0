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
// truth beside each window. Each run starts anew, and the sensor moves on to another
// machine of the same kind now and then, as the models' accuracy is stated for many.
type rotor struct{ seed int64 }

// stay is how many windows are taken of one machine.
const stay = 50

// Run implements source.Source.
func (r *rotor) Run(ctx context.Context, feed *source.Feed) error {
	var rotor *machine.Machine
	for window := int64(0); ; window++ {
		if err := feed.Wait(ctx); err != nil {
			return err
		}
		if window%stay == 0 {
			rotor = machine.New(r.seed + window)
		}
		sample, truth := rotor.Next()
		values := make([]float32, 0, len(sample)*len(sample[0]))
		for _, axis := range sample {
			values = append(values, axis[:]...)
		}
		feed.Emit(source.Sample{
			Value: littleEndian(values),
			Shape: fmt.Sprintf("%dx%d", len(sample), len(sample[0])),
			Truth: truth,
		})
	}
}
