// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/edgexfoundry/go-mod-core-contracts/v3/clients/logger"

	"edgex-offload/app-service/config"
	"edgex-offload/infer"
	"edgex-offload/infer/ort"
	"edgex-offload/models/policy"
	"edgex-offload/offload"
)

// network is what policy dqn asks. It is loaded in the background and tried again while ONNX
// Runtime is missing, which keeps no service from starting: the policy decides as cost
// meanwhile.
type network struct {
	file    string // "" is the one that ships
	backend *ort.Runtime
	lc      logger.LoggingClient

	content []byte
	loaded  *ort.Network
}

// mostNetworkBytes bounds a file; one of 20 inputs and two layers of 256 has 0.3 MB.
const mostNetworkBytes = 16 << 20

// read reads the file. An error is about the configuration.
func (n *network) read() error {
	if n.file == "" {
		n.content = policy.Shipped()
		return nil
	}
	wrong := func(err error) error { return fmt.Errorf("%s.Learning.Network %q: %w", config.Section, n.file, err) }
	file, err := os.Open(n.file)
	if err != nil {
		return wrong(err)
	}
	defer func() { _ = file.Close() }()
	if n.content, err = io.ReadAll(io.LimitReader(file, mostNetworkBytes+1)); err != nil {
		return wrong(err)
	}
	if len(n.content) > mostNetworkBytes {
		return wrong(fmt.Errorf("allowed are up to %d bytes", mostNetworkBytes))
	}
	if err := policy.Check(n.content); err != nil {
		return wrong(err)
	}
	return nil
}

// load loads the network and hands it over, or says once why not.
func (n *network) load(ctx context.Context, use func(offload.Network)) {
	const pause = 10 * time.Second
	for told := false; ; told = true {
		loaded, err := n.backend.LoadNetwork(ctx, n.content, offload.StateSize, offload.Actions)
		if err == nil {
			n.loaded = loaded
			use(loaded)
			return
		}
		if !told && ctx.Err() == nil {
			n.lc.Warnf("Policy %s has no network and decides as %s: %s", offload.PolicyDQN, offload.PolicyCost, err.Error())
		}
		if !errors.Is(err, infer.ErrBackend) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// close frees it, when the runner and load have ended.
func (n *network) close() error {
	if n.loaded == nil {
		return nil
	}
	return n.loaded.Close()
}
