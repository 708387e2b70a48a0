// SPDX-License-Identifier: Apache-2.0

// Command makedata writes the sets that models/train/train.py learns from, as NumPy
// files: NAME-SET-SIZE.npy with the inputs, NAME-SET-labels.npy with the classes.
package main

import (
	"flag"
	"fmt"
	"image"
	"log"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sync/errgroup"

	"edgex-offload/infer/picture"
	"edgex-offload/models/train/sets"
	"edgex-offload/synth/machine"
)

// pictures are the sizes of the surface models' inputs, in pixels.
var pictures = []image.Point{{X: 80, Y: 60}, {X: 160, Y: 120}}

func main() {
	log.SetFlags(log.Ltime)
	out := flag.String("out", "build/train", "folder to write to; it takes 1.6 GB")
	share := flag.Float64("share", 1, "share of the samples to make; less is faster and learns worse")
	flag.Parse()
	if err := makeAll(*out, *share); err != nil {
		log.Fatalf("makedata: %v", err)
	}
}

func makeAll(out string, share float64) error {
	if share <= 0 || share > 10 {
		return fmt.Errorf("-share %g: allowed is more than 0, up to 10", share)
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	for _, set := range []struct {
		name               string
		seed               int64
		surface, vibration int
	}{
		{"train", sets.Train, 12000, 18000},
		{"validation", sets.Validation, 2000, 3000},
		{"heldout", sets.HeldOut, 4000, 4200},
	} {
		parts, windows := sets.Groups(int(share*float64(set.surface))), sets.Groups(int(share*float64(set.vibration)))
		log.Printf("%s: %d groups of parts, %d groups of windows", set.name, parts, windows)
		if err := writeSet(filepath.Join(out, "surface-"+set.name), newSurface(), set.seed, parts); err != nil {
			return fmt.Errorf("surface %s: %w", set.name, err)
		}
		if err := writeSet(filepath.Join(out, "vibration-"+set.name), vibration{}, set.seed, windows); err != nil {
			return fmt.Errorf("vibration %s: %w", set.name, err)
		}
	}
	return nil
}

// family is a kind of data.
type family interface {
	samples(seed int64, group int) ([]sets.Sample, error)
	// arrays lists the inputs that are made of a sample: the file's suffix, the kind of
	// value and the shape of one.
	arrays() []input
	// values is the sample as the i-th of the arrays takes it.
	values(payload []byte, i int) ([]byte, error)
}

type input struct {
	suffix, kind string
	shape        []int
}

// made is one group in the form in which it is written.
type made struct {
	arrays [][]byte
	labels []byte
}

// writeSet makes the groups on all processors and writes them in their order.
func writeSet(path string, f family, seed int64, groups int) error {
	count := groups * sets.GroupSize
	labels, err := createArray(path+"-labels.npy", "|u1", count)
	if err != nil {
		return err
	}
	var files []*array
	for _, in := range f.arrays() {
		file, err := createArray(path+in.suffix+".npy", in.kind, append([]int{count}, in.shape...)...)
		if err != nil {
			return err
		}
		files = append(files, file)
	}
	for first := 0; first < groups; first += runtime.NumCPU() {
		batch := make([]made, min(runtime.NumCPU(), groups-first))
		var work errgroup.Group
		for i := range batch {
			work.Go(func() (err error) {
				batch[i], err = makeGroup(f, seed, first+i)
				return err
			})
		}
		if err := work.Wait(); err != nil {
			return err
		}
		for _, m := range batch {
			labels.write(m.labels)
			for i, file := range files {
				file.write(m.arrays[i])
			}
		}
	}
	for _, file := range append(files, labels) {
		if err := file.close(); err != nil {
			return err
		}
	}
	return nil
}

func makeGroup(f family, seed int64, group int) (made, error) {
	samples, err := f.samples(seed, group)
	if err != nil {
		return made{}, err
	}
	m := made{arrays: make([][]byte, len(f.arrays()))}
	for _, s := range samples {
		m.labels = append(m.labels, byte(s.Label))
		for i := range m.arrays {
			values, err := f.values(s.Payload, i)
			if err != nil {
				return made{}, err
			}
			m.arrays[i] = append(m.arrays[i], values...)
		}
	}
	return m, nil
}

type vibration struct{}

func (vibration) samples(seed int64, group int) ([]sets.Sample, error) {
	return sets.Vibration(seed, group)
}

func (vibration) arrays() []input {
	return []input{{kind: "<f4", shape: []int{machine.Axes, machine.Samples}}}
}

func (vibration) values(payload []byte, _ int) ([]byte, error) { return payload, nil }

// surface shrinks pictures as package infer does for the models, so that they meet the
// same pixels at work as in training; brightness is kept as whole levels.
type surface struct{ plans []*picture.Plan }

func newSurface() (s surface) {
	for _, size := range pictures {
		s.plans = append(s.plans, picture.NewPlan(picture.Options{
			Width: size.X, Height: size.Y, Order: picture.RGB, Fit: picture.Stretch,
			Scale: 1, Mean: []float64{0}, Std: []float64{1},
		}))
	}
	return s
}

func (surface) samples(seed int64, group int) ([]sets.Sample, error) {
	return sets.Surface(seed, group)
}

func (surface) arrays() (list []input) {
	for _, size := range pictures {
		list = append(list, input{fmt.Sprintf("-%dx%d", size.X, size.Y), "|u1", []int{3, size.Y, size.X}})
	}
	return list
}

func (s surface) values(payload []byte, i int) ([]byte, error) {
	img, err := s.plans[i].Decode(payload)
	if err != nil {
		return nil, err
	}
	defer s.plans[i].Recycle(img)
	tensor := make([]float32, 3*pictures[i].X*pictures[i].Y)
	if _, err := s.plans[i].Fill(tensor, img); err != nil {
		return nil, err
	}
	levels := make([]byte, len(tensor))
	for at, v := range tensor {
		levels[at] = byte(v + .5)
	}
	return levels, nil
}
