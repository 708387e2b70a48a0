// SPDX-License-Identifier: Apache-2.0

package cascade

import (
	"fmt"
	"slices"
	"strings"

	"edgex-offload/internal/strictyaml"
	"edgex-offload/offload"
)

// checker collects what is wrong, each with line, key, value and what is allowed.
type checker struct {
	lines strictyaml.Lines
	errs  []error
}

func (c *checker) err() error { return strictyaml.OneLine(c.errs) }

// wrong takes a key's path and what is to be said of it. A key that the file has not is told
// with the line of what it belongs to.
func (c *checker) wrong(key, format string, args ...any) {
	at := key
	for !c.lines.Has(at) && strings.Contains(at, ".") {
		at = at[:strings.LastIndex(at, ".")]
	}
	where := ""
	if c.lines.Has(at) {
		where = fmt.Sprintf("line %d: ", c.lines[at])
	}
	c.errs = append(c.errs, fmt.Errorf("%s%s%s", where, key, fmt.Sprintf(format, args...)))
}

func (c *checker) check(ok bool, key string, value any, allowed string) {
	if !ok {
		c.wrong(key, " is %v: allowed is %s", value, allowed)
	}
}

func quoted(s string) string { return fmt.Sprintf("%q", strictyaml.Clip(s)) }

// The path of a stage's key in the file.
func at(i int, key string) string { return fmt.Sprintf("stages[%d].%s", i, key) }

const (
	nameRule  = "1 to 32 of a-z, A-Z, 0-9, '-', '_' and '.', beginning with a letter or digit"
	modelRule = "the name of a model, as in models/<name> or in a model.yaml's serves: 1 to 64 of a-z, A-Z, 0-9, '-', '_' and '.'"
)

// validName keeps names fit for a task's id, a log line, a metric and a file.
func validName(name string, most int) bool {
	letter := func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' }
	return name != "" && len(name) <= most && letter(rune(name[0])) &&
		!strings.ContainsFunc(name, func(r rune) bool { return !letter(r) && r != '-' && r != '_' && r != '.' })
}

// check fills in the defaults and checks what can be said of each key alone.
func (f *file) check(c *checker) {
	c.check(validName(f.Name, 32), "name", quoted(f.Name), nameRule)
	c.check(len(f.Description) <= 1000, "description", fmt.Sprintf("%d bytes long", len(f.Description)), "up to 1000 bytes")
	c.check(len(f.Stages) >= 1 && len(f.Stages) <= MaxStages, "stages", fmt.Sprintf("%d long", len(f.Stages)), fmt.Sprintf("1 to %d stages", MaxStages))
	if len(f.Stages) > MaxStages {
		return
	}
	names, decoders := []string{}, []string{}
	for i := range f.Stages {
		s := &f.Stages[i]
		s.check(c, i)
		if slices.Contains(names, s.Name) {
			c.wrong(at(i, "name"), " is %s, as another stage's: allowed is a name of its own", quoted(s.Name))
		}
		names = append(names, s.Name)
		if s.Does == Decode {
			decoders = append(decoders, s.Name)
		}
	}
	for i := range f.Stages {
		f.checkNeeds(c, i, names)
	}
	if len(decoders) > 1 {
		c.wrong("stages", " has the decode stages %s: allowed is one, each would decode the same picture", strings.Join(decoders, ", "))
	}
	f.checkOutput(c)
}

func (f *file) checkNeeds(c *checker, i int, names []string) {
	for k, need := range f.Stages[i].Needs {
		key := fmt.Sprintf("%s[%d]", at(i, "needs"), k)
		if !slices.Contains(names, need) {
			c.wrong(key, " is %s: allowed are the stages %s", quoted(need), strings.Join(names, ", "))
		}
		if slices.Contains(f.Stages[i].Needs[:k], need) {
			c.wrong(key, " is %s: it is there twice", quoted(need))
		}
	}
}

// checkOutput checks that the answer is made of stages that have something to say.
func (f *file) checkOutput(c *checker) {
	var may []string
	for _, s := range f.Stages {
		if _, ok := s.Kind(); ok {
			may = append(may, s.Name)
		}
	}
	allowed := "a list of stages that detect or classify"
	if len(may) > 0 {
		allowed = "a list of " + strings.Join(may, ", ")
	}
	c.check(len(f.Output) > 0, "output", "empty", allowed)
	for i, name := range f.Output {
		key := fmt.Sprintf("output[%d]", i)
		c.check(slices.Contains(may, name), key, quoted(name), allowed)
		if slices.Contains(f.Output[:i], name) {
			c.wrong(key, " is %s: it is there twice", quoted(name))
		}
	}
}

func (s *Stage) check(c *checker, i int) {
	c.check(validName(s.Name, 32), at(i, "name"), quoted(s.Name), nameRule)
	if c.lines.Has(at(i, "share")) {
		c.check(s.Share >= 0 && s.Share <= 1, at(i, "share"), s.Share, "0 to 1, a part of the time allowed")
	}
	own := keysOf(s.Does)
	if own == nil {
		c.check(false, at(i, "does"), quoted(s.Does), strings.Join([]string{Decode, Detect, Crop, Classify}, ", "))
		return
	}
	for _, key := range []string{"model", "priority", "private", "max_objects", "labels", "min_confidence", "min_size", "margin", "max_crops", "format"} {
		if c.lines.Has(at(i, key)) && !slices.Contains(own, key) {
			c.wrong(at(i, key), ": not for a stage that does %s: allowed beside name, does, needs and share are %s", s.Does, someOr(own, "none"))
		}
	}
	switch s.Does {
	case Detect:
		s.setDefault(c, i, "max_objects", &s.MaxObjects, 100)
		c.check(s.MaxObjects >= 1 && s.MaxObjects <= mostObjects, at(i, "max_objects"), s.MaxObjects, fmt.Sprintf("1 to %d", mostObjects))
		s.checkModel(c, i)
	case Classify:
		s.checkModel(c, i)
	case Crop:
		s.checkCrop(c, i)
	}
}

// keysOf are the keys of a stage beside those that all have; nil for what no stage does.
func keysOf(does string) []string {
	switch does {
	case Decode:
		return []string{}
	case Detect:
		return []string{"model", "priority", "private", "max_objects"}
	case Classify:
		return []string{"model", "priority", "private"}
	case Crop:
		return []string{"labels", "min_confidence", "min_size", "margin", "max_crops", "format"}
	}
	return nil
}

func someOr(list []string, none string) string {
	if len(list) == 0 {
		return none
	}
	return strings.Join(list, ", ")
}

func (s *Stage) setDefault(c *checker, i int, key string, field *int, value int) {
	if !c.lines.Has(at(i, key)) {
		*field = value
	}
}

func (s *Stage) checkModel(c *checker, i int) {
	c.check(validName(s.Model, 64), at(i, "model"), quoted(s.Model), modelRule)
	if s.Priority != "" {
		if _, err := offload.ParsePriority(s.Priority); err != nil {
			c.wrong(at(i, "priority"), ": %s", strings.TrimPrefix(err.Error(), "priority "))
		}
	}
}

func (s *Stage) checkCrop(c *checker, i int) {
	s.setDefault(c, i, "min_size", &s.MinSize, 16)
	s.setDefault(c, i, "max_crops", &s.MaxCrops, 8)
	if !c.lines.Has(at(i, "format")) {
		s.Format = JPEG
	}
	for k, label := range s.Labels {
		c.check(label != "" && len(label) <= 200, fmt.Sprintf("%s[%d]", at(i, "labels"), k), quoted(label), "a label of the detector, 1 to 200 bytes")
	}
	c.check(len(s.Labels) <= 1000, at(i, "labels"), fmt.Sprintf("%d long", len(s.Labels)), "up to 1000 labels")
	c.check(s.MinConfidence >= 0 && s.MinConfidence <= 1, at(i, "min_confidence"), s.MinConfidence, "0 to 1")
	c.check(s.MinSize >= 1 && s.MinSize <= 10_000, at(i, "min_size"), s.MinSize, "1 to 10000 pixels")
	c.check(s.Margin >= 0 && s.Margin <= 2, at(i, "margin"), s.Margin, "0 to 2, a part of the box's width and height")
	c.check(s.MaxCrops >= 1 && s.MaxCrops <= mostCrops, at(i, "max_crops"), s.MaxCrops, fmt.Sprintf("1 to %d, each is a task", mostCrops))
	c.check(s.Format == JPEG || s.Format == PNG, at(i, "format"), quoted(s.Format), JPEG+", "+PNG)
}
