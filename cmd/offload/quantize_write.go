// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"edgex-offload/infer"
	"edgex-offload/infer/onnx"
	"edgex-offload/internal/wholefile"
)

// stored is one version of a model in a folder.
type stored struct {
	folder, name, number string
	spec                 infer.Spec
	yaml, graph          []byte
}

func (v stored) variant() string { return v.name + "/" + v.number }
func (v stored) dir() string     { return filepath.Join(v.folder, v.name, v.number) }

// readVersion reads a model's highest version.
func readVersion(dir, name string) (stored, error) {
	dir, name, err := pickModel(dir, name)
	if err != nil {
		return stored{}, err
	}
	best, err := highestVersion(filepath.Join(dir, name))
	if err != nil {
		return stored{}, err
	}
	if best == 0 {
		return stored{}, fmt.Errorf("%s: its versions are no whole numbers from 1 on", filepath.Join(dir, name))
	}
	v := stored{folder: dir, name: name, number: strconv.Itoa(best)}
	if v.spec, err = infer.LoadSpec(name, filepath.Join(v.dir(), infer.SpecFile)); err != nil {
		return stored{}, err
	}
	const most = 1 << 20 // LoadSpec allows no more
	if v.yaml, err = wholefile.Read(filepath.Join(v.dir(), infer.SpecFile), most); err != nil {
		return stored{}, err
	}
	v.graph, err = wholefile.Read(filepath.Join(v.dir(), infer.GraphFile), onnx.MaxBytes)
	if err != nil {
		return stored{}, err
	}
	if sum := sumOf(v.graph); v.spec.SHA256 != "" && !strings.EqualFold(sum, v.spec.SHA256) {
		return stored{}, fmt.Errorf("%s: sha256 is %s, but that of %s is %s: the file is another one, or damaged", v.variant(), v.spec.SHA256, infer.GraphFile, sum)
	}
	return v, nil
}

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// highestVersion is 0 if there is none.
func highestVersion(dir string) (best int, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	for _, e := range entries {
		if v, err := strconv.Atoi(e.Name()); err == nil && strconv.Itoa(v) == e.Name() {
			best = max(best, v)
		}
	}
	return best, err
}

// target is where the quantized version goes.
func (o quantizeOptions) target(from stored) (stored, error) {
	to := stored{folder: from.folder, name: cmp.Or(o.to, from.name+"-int8")}
	if n, err := strconv.Atoi(o.to); err == nil {
		to.name, to.number = from.name, o.to
		if strconv.Itoa(n) != o.to || n < 1 {
			return to, fmt.Errorf("to %q: allowed is a model's name, or a version from 1 on", o.to)
		}
		if _, err := os.Stat(to.dir()); err == nil {
			return to, fmt.Errorf("to %q: %s is there already: give another version", o.to, to.variant())
		}
		return to, nil
	}
	if to.name == from.name || to.name != filepath.Base(to.name) || strings.HasPrefix(to.name, ".") {
		return to, fmt.Errorf("to %q: allowed is the name of another model, or a version of this one from 1 on", to.name)
	}
	best, err := highestVersion(filepath.Join(to.folder, to.name))
	to.number = strconv.Itoa(best + 1)
	return to, err
}

// write puts the version into its place, whole or not at all, and the figures into the file
// of the one in float32.
func (q *quantization) write() (err error) {
	yaml, err := q.quantizedYAML()
	if err != nil {
		return err
	}
	if _, err := infer.ParseSpec(q.to.name, yaml); err != nil {
		return fmt.Errorf("to %q: %w", q.to.name, err)
	}
	files := map[string][]byte{infer.GraphFile: q.found.ONNX, infer.SpecFile: yaml}
	for _, f := range q.from.spec.Files {
		if files[f.Name], err = wholefile.Read(filepath.Join(q.from.dir(), f.Name), onnx.MaxBytes); err != nil {
			return err
		}
	}
	if err := q.to.create(files); err != nil {
		return fmt.Errorf("to: %w", err)
	}
	line(q.out, "written", "%s, %d bytes of graph", q.to.dir(), len(q.found.ONNX))
	file := filepath.Join(q.from.dir(), infer.SpecFile)
	if _, err := os.Stat(file + ".sig"); err == nil {
		line(q.out, "left", "%s as it is: it is signed", file)
		return nil
	}
	if yaml, err = q.floatYAML(); err != nil {
		return err
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	if err := wholefile.Replace(file, yaml, info.Mode().Perm()); err != nil {
		return err
	}
	line(q.out, "figures", "%s has precision and cost", file)
	return nil
}

// create makes a version's folder with its files.
func (v stored) create(files map[string][]byte) (err error) {
	model := filepath.Dir(v.dir())
	if err := os.MkdirAll(model, 0o755); err != nil {
		return err
	}
	made, err := os.MkdirTemp(model, ".new-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(made))
		}
	}()
	if err := os.Chmod(made, 0o755); err != nil { //nolint:gosec // services of another user read it
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(made, name), content, 0o644); err != nil { //nolint:gosec // services of another user read it
			return err
		}
	}
	return os.Rename(made, v.dir())
}

// cost is what was measured of a graph beside another one, as a model.yaml has it.
func (q *quantization) cost(times []time.Duration, beside stored) map[string]any {
	return map[string]any{
		"service_ms": float64(middle(times).Round(time.Microsecond)) / float64(time.Millisecond),
		"measured": fmt.Sprintf("median of %d runs of the graph alone, %d thread, CPU %s, side by side with %s",
			q.runs, max(1, q.runtime.Threads), runtime.GOARCH, beside.variant()),
	}
}
