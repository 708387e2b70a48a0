// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"edgex-offload/infer"
	"edgex-offload/infer/quantize"
	"edgex-offload/internal/wholefile"
	"edgex-offload/offload"
)

// mostFiles bounds what is listed of a folder of samples.
const mostFiles = 200_000

// data is what a model is quantized with and judged by.
type data struct {
	spec  infer.Spec
	learn []string // files
	judge quantize.Cases
	text  string // what judge is
}

// openData lists the folders and deals their files: for the ranges, and for judging.
func openData(spec infer.Spec, folder, labelled string, samples int) (data, error) {
	files, err := listSamples(spec, folder)
	if err != nil {
		return data{}, fmt.Errorf("data: %w", err)
	}
	d := data{spec: spec}
	if labelled != "" {
		d.learn = spaced(files, samples)
		return d, d.openLabelled(labelled)
	}
	var rest []string
	d.learn, rest = dealt(files, samples)
	d.text = fmt.Sprintf("agreement with float32 on %d others of the same folder", len(rest))
	if len(rest) == 0 {
		rest = d.learn
		d.text = fmt.Sprintf("agreement with float32 on the same %d: too few to keep some apart", len(rest))
	}
	d.judge = quantize.Cases{Count: len(rest), At: func(i int) (offload.Task, string, error) {
		task, err := taskOf(spec, rest[i])
		return task, "", err
	}}
	return d, nil
}

func (d *data) openLabelled(folder string) error {
	if d.spec.Decoder != infer.Classification {
		return fmt.Errorf("labelled: %s is judged by agreement: only a classifier's answers are labels", d.spec.Kind)
	}
	files, err := listSamples(d.spec, folder)
	if err != nil {
		return fmt.Errorf("labelled: %w", err)
	}
	files = spaced(files, mostJudged)
	for _, file := range files {
		if label := labelOf(file); !slices.Contains(d.spec.Labels, label) {
			return fmt.Errorf("labelled: %s lies in a folder %q: allowed are the labels of the model: %s", file, label, someOf(d.spec.Labels))
		}
	}
	d.text = fmt.Sprintf("right answers on %d of %s", len(files), folder)
	d.judge = quantize.Cases{Count: len(files), At: func(i int) (offload.Task, string, error) {
		task, err := taskOf(d.spec, files[i])
		return task, labelOf(files[i]), err
	}}
	return nil
}

func labelOf(file string) string { return filepath.Base(filepath.Dir(file)) }

// samples takes the files for the ranges to what the graph is fed.
func (d data) samples(ctx context.Context, steps infer.Steps, graph infer.Graph) ([]quantize.Sample, error) {
	spec := d.spec
	if bytes := 4 * spec.Input.Values() * len(d.learn); bytes > mostSampled {
		return nil, fmt.Errorf("samples %d: as tensors they take %d bytes: allowed are %d: use --samples %d", len(d.learn), bytes, mostSampled, mostSampled/(4*spec.Input.Values()))
	}
	var list []quantize.Sample
	for _, file := range d.learn {
		task, err := taskOf(spec, file)
		if err != nil {
			return nil, err
		}
		s, err := quantize.SampleOf(ctx, spec, steps, graph, task)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		list = append(list, s)
	}
	return list, nil
}

func taskOf(spec infer.Spec, file string) (offload.Task, error) {
	task := offload.Task{ID: file, Kind: spec.TaskKind()}
	var err error
	if spec.Input.Type == "image" {
		task.Payload, err = readPayload(file)
	} else {
		task.Payload, err = wholefile.Read(file, maxSignalBytes)
	}
	return task, err
}

// listSamples finds the files that a model takes, in the order of their names.
func listSamples(spec infer.Spec, folder string) ([]string, error) {
	endings := []string{".jpg", ".jpeg", ".png"}
	switch spec.Input.Type {
	case "image":
	case "signal":
		endings = []string{".f32"}
	default:
		return nil, fmt.Errorf("input.type is %q: only models of type image and signal can be quantized", spec.Input.Type)
	}
	var files []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case !entry.Type().IsRegular() || !slices.Contains(endings, strings.ToLower(filepath.Ext(path))):
			return nil
		case len(files) == mostFiles:
			return fmt.Errorf("%s has more than %d samples", folder, mostFiles)
		}
		files = append(files, path)
		return nil
	})
	if err == nil && len(files) == 0 {
		err = errors.New(folder + " has no sample in it: needed are files of " + strings.Join(endings, ", "))
	}
	return files, err
}

// spaced picks at most n of a list, evenly.
func spaced(list []string, n int) []string {
	if len(list) <= n {
		return list
	}
	picked := make([]string, n)
	for i := range picked {
		picked[i] = list[i*len(list)/n]
	}
	return picked
}

// dealt deals a list in turn, at most n to either side.
func dealt(list []string, n int) (first, second []string) {
	list = spaced(list, 2*n)
	if len(list) == 1 {
		return list, nil
	}
	for i, file := range list {
		if i%2 == 0 {
			first = append(first, file)
		} else {
			second = append(second, file)
		}
	}
	return first, second
}
