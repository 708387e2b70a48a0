// SPDX-License-Identifier: Apache-2.0

package split

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"edgex-offload/infer"
)

// NextVersion is the version that parts called so get in a models folder: one beyond the highest
// of both, so that head and tail have the same.
func NextVersion(dir, as string) (string, error) {
	best := 0
	for _, name := range []string{as + "-head", as + "-tail"} {
		v, err := highest(filepath.Join(dir, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		best = max(best, v)
	}
	return strconv.Itoa(best + 1), nil
}

// Figures writes into the parts' model.yaml what was measured.
func (p *Plan) Figures(parts *Parts, m Measured) error {
	part := parts.Head.Spec.Split
	part.FeatureBytes = m.FeatureBytes
	part.HeadMs, part.TailMs = milliseconds(m.Head.Seconds()), milliseconds(m.Tail.Seconds())
	if err := p.headYAML(&parts.Head, part); err != nil {
		return err
	}
	spec, err := infer.ParseSpec(parts.Head.Name, parts.Head.YAML)
	parts.Head.Spec = spec
	return err
}

// milliseconds to the microsecond.
func milliseconds(seconds float64) float64 { return float64(int64(seconds*1e6+.5)) / 1000 }

// Write puts both parts into a models folder: the tail first, so that no head is there without.
// Each version appears as a whole or not at all.
func Write(dir string, parts Parts) error {
	for _, part := range []Part{parts.Tail, parts.Head} {
		if err := write(dir, part); err != nil {
			return fmt.Errorf("%s: %w", part.Variant(), err)
		}
	}
	return nil
}

func write(dir string, part Part) (err error) {
	model := filepath.Join(dir, part.Name)
	if err := os.MkdirAll(model, 0o755); err != nil {
		return err
	}
	made := filepath.Join(model, ".new-"+part.Version)
	if err := errors.Join(os.RemoveAll(made), os.Mkdir(made, 0o755)); err != nil { // one may be left of a run that was cut off
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(made))
		}
	}()
	for name, content := range map[string][]byte{infer.GraphFile: part.ONNX, infer.SpecFile: part.YAML} {
		if err := os.WriteFile(filepath.Join(made, name), content, 0o644); err != nil { //nolint:gosec // services of another user read it
			return err
		}
	}
	return os.Rename(made, filepath.Join(model, part.Version))
}
