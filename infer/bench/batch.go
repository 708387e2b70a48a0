// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"edgex-offload/infer"
	"edgex-offload/infer/ort"
)

// pictures of one batch.
const batchSize = 10

// batch is what it gains to run tasks together, on an accelerator where there is one.
func batch(ctx context.Context, b *bench) (rows []row, err error) {
	backend, err := ort.New(ort.Options{Library: b.library, Providers: b.accelerators()})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, backend.Close()) }()
	single, closeSingle, err := b.tensors(ctx, backend, "batch: {size: 1}\n")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closeSingle()) }()
	gathered, closeGathered, err := b.tensors(ctx, backend, fmt.Sprintf("batch: {size: %d, delay_ms: 20}\n", batchSize))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closeGathered()) }()

	oneByOne := func() error {
		for range batchSize {
			if err := single.Run(ctx, 1, keep, ignore); err != nil {
				return err
			}
		}
		return nil
	}
	took, err := b.compare(3, oneByOne,
		func() error {
			return atOnce(batchSize, func(int) error { return gathered.Run(ctx, 1, keep, ignore) })
		},
		func() error {
			return atOnce(batchSize, func(int) error { return single.Run(ctx, 1, keep, ignore) })
		})
	if err != nil {
		return nil, err
	}
	provider := single.About.Provider
	var wanted *target
	if provider != ort.CPU {
		wanted = atLeast(3)
	}
	rows = []row{
		{What: "10 pictures of 256 × 256 in a batch, throughput over 10 calls one after the other, on " + provider, figure: took[0].over(took[1]).figure(), Unit: "x", Target: wanted, Of: sides(took[1], took[0])},
		{What: "the same batch over 10 calls at the same time", figure: took[2].over(took[1]).figure(), Unit: "x", Of: sides(took[1], took[2])},
	}
	if provider == ort.CPU {
		return rows, nil
	}
	cpu, err := b.besideCPU(ctx, provider, single)
	return append(rows, cpu), err
}

// accelerators are asked for only where their library lies beside ONNX Runtime's, which writes
// lines of its own about one that is missing.
func (b *bench) accelerators() []string {
	library, err := ort.Find(b.library)
	if err != nil {
		return nil // loading says so
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(library), "libonnxruntime_providers_cuda.so")); err != nil {
		return nil
	}
	return []string{ort.CUDA}
}

// besideCPU compares a provider with the CPU on the same network.
func (b *bench) besideCPU(ctx context.Context, provider string, theirs infer.Tensors) (r row, err error) {
	cpu, closeCPU, err := b.tensors(ctx, b.backend, "")
	if err != nil {
		return row{}, err
	}
	defer func() { err = errors.Join(err, closeCPU()) }()
	took, err := b.compare(10,
		func() error { return cpu.Run(ctx, 1, keep, ignore) },
		func() error { return theirs.Run(ctx, 1, keep, ignore) })
	if err != nil {
		return row{}, err
	}
	return row{What: provider + " beside one thread of the CPU, one picture", figure: took[0].over(took[1]).figure(), Unit: "x", Of: sides(took[1], took[0])}, nil
}

// tensors opens the network for the batches' pictures with this in its model.yaml.
func (b *bench) tensors(ctx context.Context, backend infer.Backend, extra string) (t infer.Tensors, closeAll func() error, err error) {
	n, err := mobileNet(batchSide, extra)
	if err != nil {
		return t, nil, err
	}
	r, err := b.stored(ctx, n, infer.Options{Backend: backend}, "1")
	if err != nil {
		return t, nil, err
	}
	if t, err = r.Tensors(n.name, ""); err != nil {
		return t, nil, errors.Join(err, r.Close())
	}
	return t, r.Close, nil
}
