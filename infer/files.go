// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// stamp tells whether the files of a version may have been changed, from names, sizes and
// times alone: cheap enough for each look. "" is that of no files.
type stamp string

// content tells whether they were changed. The zero value is that of nothing read.
type content [sha256.Size]byte

// isBeside says whether a name is one of a file in a version's folder that counts as the
// model's, and has its sum where models have to be signed. It is one component of a path, so
// that no file of elsewhere is meant. Hidden files do not count, nor what TensorRT keeps beside
// a model of its own accord.
func isBeside(name string) bool {
	made := slices.Contains([]string{".engine", ".profile", ".timing"}, filepath.Ext(name))
	return name != "" && len(name) <= 255 && name[0] != '.' && filepath.Base(name) == name && !made
}

// filesOf lists a version's files by name.
func filesOf(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if info, err := os.Stat(filepath.Join(dir, e.Name())); err != nil || !info.Mode().IsRegular() || !isBeside(e.Name()) {
			continue
		}
		if len(names) == maxFiles {
			return nil, fmt.Errorf("%s has more than %d files", dir, maxFiles)
		}
		names = append(names, e.Name())
	}
	return names, nil // os.ReadDir sorts
}

func stampOf(dir string) stamp {
	names, err := filesOf(dir)
	if err != nil {
		return stamp(err.Error())
	}
	var b strings.Builder
	for _, name := range names {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil {
			fmt.Fprintf(&b, "%q %d %d\n", name, info.Size(), info.ModTime().UnixNano())
		}
	}
	return stamp(b.String())
}

// sums are the SHA-256 of files, by name.
type sums map[string][sha256.Size]byte

func (s sums) content() content {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(s)) {
		fmt.Fprintf(h, "%q %x\n", name, s[name])
	}
	return content(h.Sum(nil))
}

// contentOf reads all files of a version. Those whose sum is known are not read again.
func contentOf(dir string, known sums) (sums, error) {
	names, err := filesOf(dir)
	if err != nil {
		return nil, err
	}
	all := sums{}
	for _, name := range names {
		sum, is := known[name]
		if !is {
			if sum, err = sumOf(filepath.Join(dir, name)); err != nil {
				return nil, err
			}
		}
		all[name] = sum
	}
	return all, nil
}

func sumOf(path string) (sum [sha256.Size]byte, err error) {
	f, _, err := openRegular(path)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(f, maxGraphBytes+1))
	if err == nil && n > maxGraphBytes {
		err = fmt.Errorf("%s has more than %d bytes", path, maxGraphBytes)
	}
	return [sha256.Size]byte(h.Sum(nil)), err
}

// files is what a model is loaded from.
type files struct {
	onnx    []byte
	content content
}

// readFiles reads the files of a version and compares them with the sums that its
// model.yaml gives. Where models have to be signed, each file needs one.
func (r *Repository) readFiles(v *version) (files, error) {
	spec, raw, err := r.readSpec(v.name, v.dir)
	if err != nil {
		return files{}, err
	}
	onnx, err := readGraph(v.dir)
	known := sums{SpecFile: sha256.Sum256(raw)}
	switch {
	case err == nil:
		known[GraphFile] = sha256.Sum256(onnx)
	case spec.Backend != OIP || !errors.Is(err, fs.ErrNotExist): // what a model server runs need not be here
		return files{}, err
	}
	all, err := contentOf(v.dir, known)
	if err != nil {
		return files{}, err
	}
	if err := spec.compare(all, r.opts.PublicKey != nil); err != nil {
		return files{content: all.content()}, err
	}
	r.mu.Lock()
	v.spec = spec
	r.mu.Unlock()
	return files{onnx: onnx, content: all.content()}, nil
}

// compare checks files against their sums; all says that each has to have one.
func (s Spec) compare(have sums, all bool) error {
	want := map[string]string{}
	if s.SHA256 != "" {
		want[GraphFile] = s.SHA256
	}
	for _, f := range s.Files {
		want[f.Name] = f.SHA256
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(have)) {
		key := "files: sha256 of " + name
		if name == GraphFile {
			key = "sha256"
		}
		switch sum, is := want[name]; {
		case is && !strings.EqualFold(fmt.Sprintf("%x", have[name]), sum):
			errs = append(errs, fmt.Errorf("%s is %s, but that of %s is %x: the file is another one, or damaged", key, sum, name, have[name]))
		case !is && all && name != SpecFile && name != SignatureFile:
			errs = append(errs, fmt.Errorf("%s is missing: where models have to be signed each file needs one: sign the folder again (offload model sign), or take %s out of it", key, name))
		}
		delete(want, name)
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		errs = append(errs, fmt.Errorf("%s has a sum in %s, and is not in the folder", name, SpecFile))
	}
	return oneLine(errs)
}

// readSpec reads a version's model.yaml, and checks its signature first where that is asked
// for: of what nobody signed nothing is read.
func (r *Repository) readSpec(name, dir string) (Spec, []byte, error) {
	path := filepath.Join(dir, SpecFile)
	raw, err := readSmall(path, maxSpecBytes)
	if err != nil {
		return Spec{}, nil, err
	}
	if r.opts.PublicKey != nil {
		if err := verify(r.opts.PublicKey, dir, raw); err != nil {
			return Spec{}, raw, err
		}
	}
	spec, err := ParseSpec(name, raw)
	if err != nil {
		return Spec{}, raw, fmt.Errorf("%s: %w", path, err)
	}
	return spec, raw, nil
}

// readSmall reads a file of up to most bytes and one, so that ParseSpec says it is too large.
func readSmall(path string, most int64) ([]byte, error) {
	f, _, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return data, nil
}

// readGraph reads model.onnx.
func readGraph(dir string) ([]byte, error) {
	f, size, err := openRegular(filepath.Join(dir, GraphFile))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size > maxGraphBytes {
		return nil, fmt.Errorf("%s has %d bytes: allowed are up to %d", GraphFile, size, maxGraphBytes)
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, fmt.Errorf("%s: %w", GraphFile, err)
	}
	return data, nil
}

// openRegular opens a file that is one: opening a named pipe would wait for its other end.
func openRegular(path string) (*os.File, int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s is %s: allowed is a file", path, info.Mode())
	}
	f, err := os.Open(path)
	return f, info.Size(), err
}
