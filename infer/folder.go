// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// Bounds of a models folder.
const (
	maxModels     = 256
	maxVersions   = 16 // of a model, the highest
	maxGraphBytes = 1 << 30
)

// found is a model's folder.
type found struct {
	name     string
	versions []foundVersion // the highest first
	err      error          // why there is no version
}

type foundVersion struct {
	number string
	dir    string
	stamp  stamp
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
		f, is := versionsOf(e.Name(), path)
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

// versionsOf finds the versions in a model's folder; false if the folder has nothing to do
// with models (as one with training code beside them).
func versionsOf(name, dir string) (found, bool) {
	f := found{name: name}
	entries, err := os.ReadDir(dir)
	if err != nil {
		f.err = err
		return f, true
	}
	var numbers []int
	for _, e := range entries {
		if v, err := strconv.Atoi(e.Name()); err == nil && v > 0 && strconv.Itoa(v) == e.Name() {
			numbers = append(numbers, v)
		}
	}
	slices.SortFunc(numbers, func(a, b int) int { return cmp.Compare(b, a) })
	for _, v := range numbers[:min(len(numbers), maxVersions)] {
		path := filepath.Join(dir, strconv.Itoa(v))
		f.versions = append(f.versions, foundVersion{number: strconv.Itoa(v), dir: path, stamp: stampOf(path)})
	}
	if len(numbers) > 0 {
		return f, true
	}
	for _, file := range []string{GraphFile, SpecFile} {
		if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
			f.err = fmt.Errorf("%s lies in %s itself: put it in a version's folder, as in %s", file, name, filepath.Join(name, "1", file))
			return f, true
		}
	}
	return found{}, false
}
