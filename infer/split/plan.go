// SPDX-License-Identifier: Apache-2.0

package split

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"edgex-offload/infer"
	"edgex-offload/infer/onnx"
	"edgex-offload/internal/wholefile"
)

// maxSpecBytes bounds a model.yaml.
const maxSpecBytes = 1 << 20

// Options of a Plan.
type Options struct {
	// Dir is the models folder, Name the model in it; its highest version is taken.
	Dir, Name string
	Backend   infer.Backend
	// Now is the clock that runs are timed with.
	Now func() time.Time
}

// Plan is a loaded model that may be split.
type Plan struct {
	opts     Options
	dir      string // of the version
	version  string
	sum      string // SHA-256 of the graph's file
	yaml     []byte
	spec     infer.Spec
	model    *onnx.Model
	graph    infer.Graph
	inputs   []string
	outputs  []string
	observed map[string][]int64 // shapes of tensors within, as seen in a run
}

// Open reads a model and loads it as a whole, to compare with. The error says what is wrong with
// the model, or why it cannot be split at all.
func Open(ctx context.Context, opts Options) (*Plan, error) {
	version, err := newest(filepath.Join(opts.Dir, opts.Name))
	if err != nil {
		return nil, err
	}
	p := &Plan{opts: opts, version: strconv.Itoa(version), observed: map[string][]int64{}}
	p.dir = filepath.Join(opts.Dir, opts.Name, p.version)
	graph, err := p.read()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.dir, err)
	}
	if p.graph, err = opts.Backend.Load(ctx, infer.Source{Dir: p.dir, ONNX: graph, Spec: p.spec}); err != nil {
		return nil, fmt.Errorf("%s: %w", p.dir, err)
	}
	about := p.graph.About()
	p.inputs, p.outputs = names(about.Inputs), names(about.Outputs)
	if len(p.inputs) != 1 {
		return nil, errors.Join(fmt.Errorf("%s: the graph has %d inputs: only one with a single input can be split", p.dir, len(p.inputs)), p.Close())
	}
	return p, nil
}

// Close frees the whole's graph.
func (p *Plan) Close() error { return p.graph.Close() }

// Folder is the models folder.
func (p *Plan) Folder() string { return p.opts.Dir }

// Whole is the model's variant, "name/version".
func (p *Plan) Whole() string { return p.opts.Name + "/" + p.version }

// Has says whether there is a tensor of this name.
func (p *Plan) Has(tensor string) bool { return p.model.Has(tensor) }

// Spec is the model.yaml of the whole.
func (p *Plan) Spec() infer.Spec { return p.spec }

// Cuts are those of the outputs that the model's decoder reads.
func (p *Plan) Cuts() []Cut { return Cuts(p.model, p.outputs) }

// read takes in both files of the version.
func (p *Plan) read() (graph []byte, err error) {
	if p.yaml, err = wholefile.Read(filepath.Join(p.dir, infer.SpecFile), maxSpecBytes); err != nil {
		return nil, err
	}
	if p.spec, err = infer.ParseSpec(p.opts.Name, p.yaml); err != nil {
		return nil, fmt.Errorf("%s: %w", infer.SpecFile, err)
	}
	switch {
	case p.spec.Split.Part != "":
		return nil, fmt.Errorf("it is itself the %s of %s: split that", p.spec.Split.Part, p.spec.Split.Of)
	case p.spec.Input.Type != "image" && p.spec.Input.Type != "signal":
		return nil, fmt.Errorf("input.type is %q: only models of type image and signal can be split", p.spec.Input.Type)
	case reconstructs(p.yaml):
		return nil, errors.New("anomaly.reconstruction compares the output with the input, which a tail does not have: it cannot be split")
	}
	if graph, err = wholefile.Read(filepath.Join(p.dir, infer.GraphFile), onnx.MaxBytes); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(graph)
	if p.sum = hex.EncodeToString(sum[:]); p.spec.SHA256 != "" && !strings.EqualFold(p.sum, p.spec.SHA256) {
		return nil, fmt.Errorf("sha256 is %s, but that of %s is %s: the file is another one, or damaged", p.spec.SHA256, infer.GraphFile, p.sum)
	}
	if p.model, err = onnx.Parse(graph); err != nil {
		return nil, err
	}
	if name, is := p.model.HasExternalData(); is {
		return nil, fmt.Errorf("weight %q lies in a file beside the graph: export the model with its weights inside", name)
	}
	return graph, nil
}

// reconstructs says whether the decoder needs what the graph is fed.
func reconstructs(data []byte) bool {
	var s struct {
		Anomaly struct {
			Reconstruction string `yaml:"reconstruction"`
		} `yaml:"anomaly"`
	}
	_ = yaml.Unmarshal(data, &s) // ParseSpec has read it
	return s.Anomaly.Reconstruction != "" && s.Anomaly.Reconstruction != "none"
}

// newest is the highest version in a model's folder.
func newest(dir string) (int, error) {
	best, err := highest(dir)
	if err == nil && best == 0 {
		err = fmt.Errorf("%s: there is no version in it: needed is <version>/%s, as in 1/%s", dir, infer.GraphFile, infer.GraphFile)
	}
	return best, err
}

// highest is 0 if there is none.
func highest(dir string) (best int, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if v, err := strconv.Atoi(e.Name()); err == nil && strconv.Itoa(v) == e.Name() {
			best = max(best, v)
		}
	}
	return best, err
}

func names(ports []infer.Port) []string {
	list := make([]string, len(ports))
	for i, port := range ports {
		list[i] = port.Name
	}
	return slices.Clip(list)
}
