// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Bounds of a models folder.
const (
	maxModels     = 256
	maxGraphBytes = 1 << 30
)

// found is a model's highest version in the folder.
type found struct {
	name, version string
	dir           string
	print         fingerprint
	err           error // why there is no version that can be used
}

// fingerprint tells whether the files of a version were changed.
type fingerprint struct {
	version string
	files   [2]stamp
}

type stamp struct {
	bytes, unixNano int64
}

// scan lists the models of a folder. Files, hidden folders and names that no model may
// have are passed over.
func scan(dir string) ([]found, error) {
	if dir == "" {
		return nil, errors.New("models folder: none is configured")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("models folder: %w", err)
	}
	var list []found
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if info, err := os.Stat(path); err != nil || !info.IsDir() || !validName(e.Name()) {
			continue
		}
		f, is := newest(e.Name(), path)
		if !is {
			continue
		}
		if len(list) == maxModels {
			return list, fmt.Errorf("models folder: more than %d models in %s: those from %q on are not used", maxModels, dir, e.Name())
		}
		list = append(list, f)
	}
	return list, nil
}

// newest finds the highest version in a model's folder; false if the folder has nothing
// to do with models (as one with training code beside them).
func newest(name, dir string) (found, bool) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return found{name: name, err: err}, true
	}
	best := 0
	for _, e := range entries {
		if v, err := strconv.Atoi(e.Name()); err == nil && v > best && strconv.Itoa(v) == e.Name() {
			best = v
		}
	}
	if best > 0 {
		f := found{name: name, version: strconv.Itoa(best), dir: filepath.Join(dir, strconv.Itoa(best))}
		f.print = printOf(f.version, f.dir)
		return f, true
	}
	for _, file := range []string{GraphFile, SpecFile} {
		if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
			return found{name: name, err: fmt.Errorf("%s lies in %s itself: put it in a version's folder, as in %s", file, name, filepath.Join(name, "1", file))}, true
		}
	}
	return found{}, false
}

func printOf(version, dir string) fingerprint {
	p := fingerprint{version: version}
	for i, file := range []string{GraphFile, SpecFile} {
		if info, err := os.Stat(filepath.Join(dir, file)); err == nil {
			p.files[i] = stamp{info.Size(), info.ModTime().UnixNano()}
		}
	}
	return p
}

// graphOf reads the model.onnx of a spec. One that a model server runs need not be here.
func graphOf(dir string, spec Spec) ([]byte, error) {
	onnx, err := readGraph(dir, spec.SHA256)
	if spec.Backend != OIP || !errors.Is(err, fs.ErrNotExist) {
		return onnx, err
	}
	if spec.SHA256 != "" {
		return nil, fmt.Errorf("sha256 is given, but there is no %s to compare it with: put the file beside %s, or leave sha256 out", GraphFile, SpecFile)
	}
	return nil, nil
}

// readGraph reads model.onnx and compares its checksum, if one is given.
func readGraph(dir, sum string) ([]byte, error) {
	f, err := os.Open(filepath.Join(dir, GraphFile))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > maxGraphBytes {
		return nil, fmt.Errorf("%s has %d bytes: allowed are up to %d", GraphFile, info.Size(), maxGraphBytes)
	}
	data := make([]byte, info.Size())
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, fmt.Errorf("%s: %w", GraphFile, err)
	}
	if got := sha256.Sum256(data); sum != "" && !strings.EqualFold(hex.EncodeToString(got[:]), sum) {
		return nil, fmt.Errorf("sha256 is %s, but that of %s is %x: the file is another one, or damaged", sum, GraphFile, got)
	}
	return data, nil
}
