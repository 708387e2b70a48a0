// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"edgex-offload/infer"
	"edgex-offload/infer/onnx/onnxtest"
	"edgex-offload/infer/picture/picturetest"
	"edgex-offload/offload"
)

// side of MobileNetV2's picture, in pixels, and that of the pictures of the batches.
const (
	mobileNetSide = 224
	batchSide     = 256
)

// network is a graph with its model.yaml.
type network struct {
	name string
	onnx []byte
	yaml string
	spec infer.Spec
	side int
}

// mobileNet is a network of MobileNetV2's size. extra is added to its model.yaml.
func mobileNet(side int, extra string) (network, error) {
	n := network{name: fmt.Sprintf("mobilenet-v2-%d", side), side: side}
	data, err := onnxtest.MobileNetV2Sized(1, side).Marshal()
	if err != nil {
		return n, err
	}
	labels := make([]string, onnxtest.MobileNetV2Classes)
	for i := range labels {
		labels[i] = fmt.Sprintf("c%d", i)
	}
	n.onnx = data
	n.yaml = fmt.Sprintf("kind: IMAGE_CLASSIFICATION\ninput: {type: image, width: %d, height: %d, scale: 0.00392156862745098, mean: [0.5], std: [0.5]}\ndecoder: classification\nscores: logits\nlabels: [%s]\n%s",
		side, side, strings.Join(labels, ", "), extra)
	n.spec, err = infer.ParseSpec(n.name, []byte(n.yaml))
	return n, err
}

// noise is an input of random values.
func (n network) noise() []float32 {
	random := rand.New(rand.NewPCG(1, 0))
	values := make([]float32, 3*n.side*n.side)
	for i := range values {
		values[i] = 2*random.Float32() - 1
	}
	return values
}

// store writes versions of a network into a models folder of their own.
func (b *bench) store(n network, versions ...string) (dir string, err error) {
	if dir, err = os.MkdirTemp(b.scratch, n.name); err != nil {
		return "", err
	}
	for _, v := range versions {
		folder := filepath.Join(dir, n.name, v)
		err := errors.Join(
			os.MkdirAll(folder, 0o750),
			os.WriteFile(filepath.Join(folder, infer.GraphFile), n.onnx, 0o600),
			os.WriteFile(filepath.Join(folder, infer.SpecFile), []byte(n.yaml), 0o600),
		)
		if err != nil {
			return "", err
		}
	}
	return dir, nil
}

// stored opens a folder of its own with versions of a network.
func (b *bench) stored(ctx context.Context, n network, o infer.Options, versions ...string) (*infer.Repository, error) {
	dir, err := b.store(n, versions...)
	if err != nil {
		return nil, err
	}
	o.Dir = dir
	return b.open(ctx, o)
}

// open opens a folder of models and waits until they are ready.
func (b *bench) open(ctx context.Context, o infer.Options) (*infer.Repository, error) {
	if o.Backend == nil {
		o.Backend = b.backend
	}
	r, err := infer.Open(o)
	if err != nil {
		return nil, err
	}
	err = r.Wait(ctx)
	for _, m := range r.Models() {
		if m.State == infer.Failed {
			err = errors.Join(err, fmt.Errorf("%s: %s", m.Name, m.Error))
		}
	}
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// photo is a task with a camera's picture.
func photo(width, height int) offload.Task {
	return offload.Task{Kind: offload.ImageClassification, Payload: picturetest.CameraJPEG(width, height)}
}
