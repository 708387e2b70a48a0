// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"edgex-offload/infer"
	"edgex-offload/offload"
	"edgex-offload/synth/conveyor"
	"edgex-offload/synth/machine"
)

// The logical models that the services' configuration asks for.
const (
	surface   = "surface"
	vibration = "vibration"
)

// task is what a run asks of its models. The zero value is what the services'
// configuration says.
type task struct {
	model  string
	kind   offload.Kind
	signal bool // its input is one
}

// environment replaces a rule of the configuration: that of windows for a model of
// signals, that of frames for any other.
func (t task) environment(deadline time.Duration) []string {
	const rules = "OFFLOAD_WRITABLE_TASKS_"
	var env []string
	if deadline > 0 {
		env = append(env, rules+"SURFACE_DEADLINE="+deadline.String(), rules+"VIBRATION_DEADLINE="+deadline.String())
	}
	if t.model == "" {
		return env
	}
	rule := rules + "SURFACE_"
	if t.signal {
		rule = rules + "VIBRATION_"
	}
	return append(env, rule+"MODEL="+t.model, rule+"KIND="+t.kind.String())
}

// family is what is needed of all that a folder holds for one logical model.
type family struct {
	kind   offload.Kind
	input  string // the type
	labels []string
}

// findTask looks into the models' folder and chooses what to run.
func (o Options) findTask() (task, error) {
	folder := o.modelsFolder()
	families, err := readFamilies(folder)
	if err != nil {
		return task{}, err
	}
	name := o.Model
	if name == "" && families[surface] != nil && (families[vibration] != nil || o.Camera != "") {
		return task{}, nil
	}
	if name == "" && len(families) == 1 {
		name = slices.Collect(maps.Keys(families))[0]
	}
	f := families[name]
	if f == nil {
		return task{}, fmt.Errorf("model %q: allowed are those of %s: %s", name, folder, strings.Join(slices.Sorted(maps.Keys(families)), ", "))
	}
	if f.input == "text" {
		return task{}, fmt.Errorf("model %q answers %s: allowed are models of pictures and of signals", name, f.kind)
	}
	return task{model: name, kind: f.kind, signal: f.input == "signal"}, o.checkSource(name, *f)
}

// checkSource refuses to score a model on a synthetic source that it knows nothing of.
func (o Options) checkSource(name string, f family) error {
	if o.Camera != "" {
		if f.input == "signal" {
			return fmt.Errorf("model %q is of signals: it cannot run on the camera %s", name, o.Camera)
		}
		return nil
	}
	shows, source := conveyor.Labels(), "conveyor"
	if f.input == "signal" {
		shows, source = machine.Conditions(), "machine"
	}
	for _, label := range shows {
		if !slices.Contains(f.labels, label) {
			return fmt.Errorf("model %q does not know %q, which the synthetic %s shows: give it pictures of its own with --camera", name, label, source)
		}
	}
	return nil
}

// readFamilies reads each model's latest model.yaml, by what it serves.
func readFamilies(folder string) (map[string]*family, error) {
	specs, err := fs.Glob(os.DirFS(folder), "*/*/"+infer.SpecFile)
	if err != nil {
		return nil, fmt.Errorf("models %s: %w", folder, err)
	}
	if len(specs) == 0 {
		return nil, fmt.Errorf("models %s: allowed is a folder that has <name>/<version>/%s", folder, infer.SpecFile)
	}
	families := map[string]*family{}
	var problems []error
	for _, path := range specs {
		name, _, _ := strings.Cut(path, "/")
		spec, err := infer.LoadSpec(name, filepath.Join(folder, path))
		if err != nil {
			problems = append(problems, err)
			continue
		}
		f := families[spec.Serves]
		if f == nil {
			f = &family{kind: spec.TaskKind(), input: spec.Input.Type}
			families[spec.Serves] = f
		}
		f.labels = append(f.labels, spec.Labels...)
	}
	if len(families) == 0 {
		return nil, fmt.Errorf("models %s: no model can be read: %w", folder, errors.Join(problems...))
	}
	return families, nil
}
