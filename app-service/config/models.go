// SPDX-License-Identifier: Apache-2.0

package config

import (
	"cmp"
	"time"

	"edgex-offload/infer"
	"edgex-offload/infer/oip"
)

func defaultModels() Models {
	c := infer.DefaultCanary()
	return Models{
		Folder: "models", Threads: 1, Providers: "CPU", DrainTimeout: "30s",
		Canary: Canary{Share: c.Share, Tasks: c.Tasks, MaxErrorIncrease: c.MaxErrorIncrease, LatencyRatio: c.LatencyRatio, Longest: c.Longest.String()},
		OIP:    ModelServer{ConnectTimeout: "2s", CallTimeout: "30s", CheckInterval: "2s", MessageKB: oip.DefaultMessageBytes >> 10},
	}
}

// models is how the box's models are kept.
func (c *checker) models(o Offload) infer.Options {
	m := o.Models
	options := infer.Options{
		Dir: m.Folder, Place: infer.Box, Concurrency: o.Workers,
		DrainTimeout: c.duration("Models.DrainTimeout", cmp.Or(m.DrainTimeout, "30s"), time.Second, time.Hour),
		Canary: infer.Canary{
			Share: m.Canary.Share, Tasks: m.Canary.Tasks, MaxErrorIncrease: m.Canary.MaxErrorIncrease, LatencyRatio: m.Canary.LatencyRatio,
			Longest: c.optional("Models.Canary.Longest", m.Canary.Longest, infer.DefaultCanary().Longest),
		},
	}
	sub := checker{path: c.path + ".Models.Canary"}
	sub.under(options.Canary.Validate())
	c.add(sub.err())
	if m.PublicKey != "" {
		key, err := infer.ReadPublicKey(m.PublicKey)
		c.at("Models.PublicKey", err)
		options.PublicKey = key
	}
	return options
}
