// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"edgex-offload/infer"
	"edgex-offload/infer/ort"
	"edgex-offload/infer/suggest"
	"edgex-offload/internal/wholefile"
)

// place is where one model lies, as a models folder with the model's name.
type place struct {
	dir, model string
	version    string // the folder with the model's files
	made       string // the folder that was made to have it so; "" for none
	from, to   string // the link in it, and what it leads to
}

// findModel finds the model that is meant: in a models folder, in its own folder, in that
// of one version, or as a file.
func findModel(at, name string) (place, error) {
	info, err := os.Stat(at)
	switch {
	case err != nil:
		return place{}, fmt.Errorf("models folder: %w", err)
	case !info.Mode().IsRegular() && !info.IsDir():
		return place{}, fmt.Errorf("%s: allowed is a folder or an .onnx file", at)
	case info.Mode().IsRegular() && filepath.Base(at) != infer.GraphFile:
		return linkedFile(at)
	case info.Mode().IsRegular():
		return linked(filepath.Dir(at))
	case holdsModel(at, "."):
		return linked(at)
	}
	dir, name, err := pickModel(at, name)
	if err != nil {
		return place{}, err
	}
	return place{dir: dir, model: name, version: highest(filepath.Join(dir, name))}, nil
}

// linked makes a models folder that has nothing but one version, wherever that lies.
func linked(version string) (place, error) {
	version, err := filepath.Abs(version)
	if err != nil {
		return place{}, err
	}
	name, number := filepath.Base(version), "1"
	if v, err := strconv.Atoi(name); err == nil && v > 0 && strconv.Itoa(v) == name {
		name, number = filepath.Base(filepath.Dir(version)), name
	}
	p := place{model: fitName(name), version: version}
	return p, p.link(version, filepath.Join(p.model, number))
}

// linkedFile does the same for an .onnx file of another name, which has no model.yaml.
func linkedFile(file string) (place, error) {
	file, err := filepath.Abs(file)
	if err != nil {
		return place{}, err
	}
	p := place{model: fitName(strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)))}
	err = p.link(file, filepath.Join(p.model, "1", infer.GraphFile))
	p.version = filepath.Join(p.dir, p.model, "1")
	return p, err
}

// link makes a folder with a link in it.
func (p *place) link(to, at string) (err error) {
	if p.made, err = os.MkdirTemp("", "offload-model-"); err != nil {
		return err
	}
	p.dir = p.made
	from := filepath.Join(p.made, at)
	if err = os.MkdirAll(filepath.Dir(from), 0o700); err == nil {
		err = os.Symlink(to, from)
	}
	p.from, p.to = from, to
	if err != nil {
		return errors.Join(err, p.leave())
	}
	return nil
}

// inWords has a message name the files where they are, not by the link.
func (p place) inWords(text string) string {
	if p.made == "" {
		return text
	}
	return strings.ReplaceAll(text, p.from, p.to)
}

// fitName makes a model's name of a folder's.
func fitName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_.", r)) {
			return r
		}
		return '-'
	}, name)
	name = strings.TrimLeft(name, "-_.")
	return cmp.Or(name[:min(len(name), 64)], "model")
}

// leave removes what findModel made.
func (p place) leave() error {
	if p.made == "" {
		return nil
	}
	return os.RemoveAll(p.made) // links, not what they lead to
}

// highest is the folder of a model's highest version, "" if there is none.
func highest(dir string) string {
	entries, _ := os.ReadDir(dir) // an error is told when the model is opened
	most := 0
	for _, e := range entries {
		if v, err := strconv.Atoi(e.Name()); err == nil {
			most = max(most, v)
		}
	}
	if most == 0 {
		return ""
	}
	return filepath.Join(dir, strconv.Itoa(most))
}

// lacksSpec says whether there is a graph alone.
func (p place) lacksSpec() bool {
	is := func(file string) bool {
		_, err := os.Stat(filepath.Join(p.version, file))
		return err == nil
	}
	return p.version != "" && is(infer.GraphFile) && !is(infer.SpecFile)
}

// describe prints what the graph looks like and a model.yaml to begin with. It returns the
// error that there is none.
func (p place) describe(out io.Writer) error {
	onnx, err := wholefile.Read(filepath.Join(p.version, infer.GraphFile), maxGraphBytes)
	if err != nil {
		return err
	}
	d, err := ort.Describe(onnx)
	if err != nil {
		return err
	}
	line(out, "model", "%s", p.model)
	for _, port := range d.Inputs {
		line(out, "input", "%s", portText(port))
	}
	for _, port := range d.Outputs {
		line(out, "output", "%s", portText(port))
	}
	graph := suggest.Graph{Inputs: d.Inputs, Outputs: d.Outputs, Notes: d.Notes}
	_, _ = fmt.Fprintf(out, "\nA %s to begin with; docs/models.md says what the keys mean:\n\n%s\n", infer.SpecFile, graph.YAML())
	return fmt.Errorf("%s: there is no %s beside %s: write one, the guess above is a beginning, and check again with a picture, signal or text", p.model, infer.SpecFile, infer.GraphFile)
}

func portText(p infer.Port) string {
	shape := make([]string, len(p.Shape))
	for i, d := range p.Shape {
		shape[i] = strconv.FormatInt(d, 10)
		if d < 0 {
			shape[i] = "?"
		}
	}
	return fmt.Sprintf("%q, %s [%s]", p.Name, p.Type, strings.Join(shape, " "))
}

// pickModel finds the models folder and the model that are meant. Instead of the models
// folder dir may be that of one model.
func pickModel(dir, name string) (string, string, error) {
	if _, err := os.Stat(dir); err != nil {
		return "", "", fmt.Errorf("models folder: %w", err)
	}
	if holdsModel(dir, ".") {
		return "", "", fmt.Errorf("%s: it is a model's version: needed is the folder that has <name>/<version>/%s, or the folder <name> in it", dir, infer.SpecFile)
	}
	if holdsModel(dir, "[0-9]*") && name == "" {
		own, err := filepath.Abs(dir)
		return filepath.Dir(own), filepath.Base(own), err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", "", fmt.Errorf("models folder: %w", err)
	}
	var names []string
	for _, e := range entries {
		if holdsModel(filepath.Join(dir, e.Name()), "*") || holdsModel(filepath.Join(dir, e.Name()), ".") {
			names = append(names, e.Name())
		}
	}
	switch {
	case len(names) == 0:
		return "", "", fmt.Errorf("%s: there is no model in it: needed is <name>/<version>/{%s,%s}", dir, infer.GraphFile, infer.SpecFile)
	case name == "" && len(names) == 1:
		return dir, names[0], nil
	case name == "":
		return "", "", fmt.Errorf("model: say which with --model: %s has %s", dir, strings.Join(names, ", "))
	case !slices.Contains(names, name):
		return "", "", fmt.Errorf("model %q: allowed are those of %s: %s", name, dir, strings.Join(names, ", "))
	}
	return dir, name, nil
}

// holdsModel says whether a model's files are in a folder's version.
func holdsModel(dir, version string) bool {
	files, _ := fs.Glob(os.DirFS(dir), path.Join(version, "model.*")) // the pattern is right
	return slices.ContainsFunc(files, func(file string) bool {
		return slices.Contains([]string{infer.GraphFile, infer.SpecFile}, path.Base(file))
	})
}
