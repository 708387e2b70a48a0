// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"

	"edgex-offload/twin"
)

// mostBytes bounds a file; the benchmark's takes 10 KB.
const mostBytes = 1 << 20

//go:embed benchmark.yaml
var benchmark string

// BenchmarkYAML is the file of twin.Benchmark, with unit and effect at each key.
func BenchmarkYAML() string { return benchmark }

// Read reads and checks a scenario. The links that its targets name are read by trace, which
// may be nil where none is to be named.
func Read(r io.Reader, trace func(name string) (twin.Trace, error)) (twin.Scenario, error) {
	text, err := io.ReadAll(io.LimitReader(r, mostBytes+1))
	if err != nil {
		return twin.Scenario{}, err
	}
	if len(text) > mostBytes {
		return twin.Scenario{}, fmt.Errorf("file is larger than %d bytes: allowed is at most that", mostBytes)
	}
	s := twin.Benchmark()
	s.Name = "unnamed"
	if err := decode(string(text), &s); err != nil {
		return twin.Scenario{}, err
	}
	if err := readLinks(&s, trace); err != nil {
		return twin.Scenario{}, err
	}
	return s, s.Validate()
}

// decode takes exactly one document.
func decode(text string, s *twin.Scenario) error {
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	switch err := d.Decode(s); {
	case errors.Is(err, io.EOF):
		return errors.New("file is empty: a scenario is a mapping, as \"offload twin scenario\" prints it")
	case err != nil:
		return plain(err)
	}
	if err := d.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return errors.New("file goes on after its first document: allowed is one")
	}
	return nil
}

// plain says of what is wrong in YAML what a reader of the file can see.
func plain(err error) error {
	var typed *yaml.TypeError
	if !errors.As(err, &typed) {
		return errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	unknown := regexp.MustCompile(`field (\S+) not found in type twin\.\w+`)
	target := regexp.MustCompile(`cannot unmarshal !!\w+ (.*) into (\S+)`)
	var errs []error
	for _, e := range typed.Errors {
		e = unknown.ReplaceAllString(e, "key $1: unknown here")
		e = target.ReplaceAllStringFunc(e, func(found string) string {
			parts := target.FindStringSubmatch(found)
			return fmt.Sprintf("%s: allowed is %s", parts[1], allowedFor(parts[2]))
		})
		errs = append(errs, errors.New(e))
	}
	return errors.Join(errs...)
}

func allowedFor(goType string) string {
	switch {
	case goType == "time.Duration":
		return "a time with its unit, as 15ms"
	case goType == "int" || goType == "float64":
		return "a number"
	case goType == "bool":
		return "true or false"
	case goType == "string":
		return "a text"
	case strings.HasPrefix(goType, "[]"):
		return "a list"
	default:
		return "a mapping"
	}
}

func readLinks(s *twin.Scenario, trace func(string) (twin.Trace, error)) error {
	for i := range s.Targets {
		l := &s.Targets[i].Link
		if l.Trace == "" || l.Trace == twin.CellTrace {
			continue
		}
		if trace == nil {
			return fmt.Errorf("targets[%d].link.trace %q: allowed is %q, or a fixed link", i, l.Trace, twin.CellTrace)
		}
		t, err := trace(l.Trace)
		if err != nil {
			return fmt.Errorf("targets[%d].link.trace: %w", i, err)
		}
		l.Slots = t.Slots
	}
	return nil
}

// Write writes a scenario that Read reads, under comments that say where it comes from.
func Write(w io.Writer, s twin.Scenario, comments ...string) error {
	for _, c := range comments {
		if _, err := fmt.Fprintf(w, "# %s\n", strings.ReplaceAll(c, "\n", " ")); err != nil {
			return err
		}
	}
	e := yaml.NewEncoder(w)
	e.SetIndent(2)
	if err := e.Encode(s); err != nil {
		return err
	}
	return e.Close()
}
