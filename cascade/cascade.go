// SPDX-License-Identifier: Apache-2.0

package cascade

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"edgex-offload/internal/strictyaml"
	"edgex-offload/offload"
)

// What a stage may do.
const (
	// Decode gives the picture's pixels.
	Decode = "decode"
	// Detect gives objects, with a model of kind OBJECT_DETECTION.
	Detect = "detect"
	// Crop cuts the objects out of the picture.
	Crop = "crop"
	// Classify gives a class, with a model of kind IMAGE_CLASSIFICATION: of the picture, or of
	// each crop.
	Classify = "classify"
)

// How a crop is encoded.
const (
	JPEG = "jpeg" // of quality 90
	PNG  = "png"  // without loss, several times as large
)

// Bounds of a file.
const (
	MaxStages    = 16
	maxFileBytes = 64 << 10
	mostCrops    = 64
	mostObjects  = 1000
)

// Cascade is a graph of stages that was found right.
type Cascade struct {
	// Name is what a rule asks for; the default is the file's.
	Name string
	// Description is for people.
	Description string
	// Stages are in an order in which each comes after all that it needs.
	Stages []Stage
	// Output are the stages whose results the answer has; its label is that of the last one
	// that has any.
	Output []string

	links []links // of each stage
}

// Stage is one step, with its defaults filled in. docs/cascades.md explains each key.
type Stage struct {
	Name  string   `yaml:"name"`
	Does  string   `yaml:"does"`
	Needs []string `yaml:"needs"`
	// Share is the part of the time allowed that the stage may take, 0 to 1. Left out, stages
	// with a model have equal parts of what the others leave, and those without have 0.
	Share float64 `yaml:"share"`

	// Of detect and classify. Priority "" is that of the picture's task; Private keeps the
	// stage's tasks on the box.
	Model    string `yaml:"model"`
	Priority string `yaml:"priority"`
	Private  bool   `yaml:"private"`

	// MaxObjects of detect are kept, best first.
	MaxObjects int `yaml:"max_objects"`

	// Of crop. Labels are those to cut out, none is all; MinConfidence is the least confidence
	// of an object, 0 to 1; MinSize the least width and height of a box in pixels; Margin is
	// added on each side, in parts of the box's width and height.
	Labels        []string `yaml:"labels"`
	MinConfidence float64  `yaml:"min_confidence"`
	MinSize       int      `yaml:"min_size"`
	Margin        float64  `yaml:"margin"`
	MaxCrops      int      `yaml:"max_crops"`
	Format        string   `yaml:"format"`
}

// The file as it is written.
type file struct {
	Name        string   `yaml:"name"`
	Description string   `yaml:"description"`
	Stages      []Stage  `yaml:"stages"`
	Output      []string `yaml:"output"`
}

// Parse reads the cascade of this name (unless it says another), fills in the defaults and
// checks it as a whole. The error is one line that names for each mistake the line, the key, the
// value and what is allowed.
func Parse(name string, data []byte) (*Cascade, error) {
	if len(data) > maxFileBytes {
		return nil, fmt.Errorf("%d bytes: allowed are up to %d", len(data), maxFileBytes)
	}
	f := file{Name: name}
	lines, err := strictyaml.Decode(data, &f)
	if err != nil {
		return nil, err
	}
	c := &checker{lines: lines}
	f.check(c)
	if err := c.err(); err != nil { // what follows goes by names and numbers that are right
		return nil, err
	}
	cascade := &Cascade{Name: f.Name, Description: f.Description, Output: f.Output}
	cascade.link(c, f.Stages)
	if err := c.err(); err != nil {
		return nil, err
	}
	return cascade, nil
}

// Load reads the cascade at path, whose name without extension is the default of its own. The
// error begins with the path.
func Load(path string) (*Cascade, error) {
	data, err := read(path)
	if err != nil {
		return nil, err
	}
	c, err := Parse(NameOf(path), data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

func read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // opening a pipe would wait
		return nil, fmt.Errorf("%s: it is no file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return data, nil
}

// NameOf is what the cascade of a file is called unless it says otherwise.
func NameOf(path string) string {
	base := filepath.Base(path)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// Kind is that of the task that a stage hands over; ok is false for a stage that hands over none.
func (s Stage) Kind() (kind offload.Kind, ok bool) {
	switch s.Does {
	case Detect:
		return offload.ObjectDetection, true
	case Classify:
		return offload.ImageClassification, true
	}
	return 0, false
}

// Kind is what the cascade as a whole does: it detects if its answer has objects.
func (c *Cascade) Kind() offload.Kind {
	for i := range c.Stages {
		if c.Stages[i].Does == Detect {
			return offload.ObjectDetection
		}
	}
	return offload.ImageClassification
}
