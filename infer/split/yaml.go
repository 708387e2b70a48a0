// SPDX-License-Identifier: Apache-2.0

package split

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"

	"edgex-offload/infer"
)

const written = "Written by `offload model split`; split again rather than edit."

// headYAML makes the model.yaml of a head: what the whole's says of its input, and no decoder.
func (p *Plan) headYAML(part *Part, s infer.Split) (err error) {
	s.Part = infer.Head
	d, err := edit(p.yaml, func(key string) bool {
		return key == "kind" || key == "input" || key == "accuracy" || key == "measured"
	})
	if err != nil {
		return err
	}
	p.measured(d)
	d.set("description", fmt.Sprintf("Head of %s, up to %s.", s.Of, strings.Join(s.At, ", ")))
	d.set("serves", p.spec.Serves)
	d.set("runs_on", []string{infer.Box})
	d.set("decoder", infer.Features)
	d.set("outputs", s.At)
	d.set("sha256", part.sum())
	d.set("split", s)
	part.YAML, err = d.bytes()
	return err
}

// tailYAML makes the model.yaml of a tail: what the whole's says, but for its input.
func (p *Plan) tailYAML(part *Part, s infer.Split) (err error) {
	s.Part = infer.Tail
	d, err := edit(p.yaml, func(key string) bool {
		return key != "cost" && key != "canary" && key != "files" // they are the whole's
	})
	if err != nil {
		return err
	}
	in := tailInput{Type: infer.Features, Width: p.spec.Input.Width, Height: p.spec.Input.Height}
	for _, name := range s.At {
		t := infer.FeatureTensor{Name: name}
		for _, d := range p.observed[name] {
			t.Shape = append(t.Shape, int(d))
		}
		in.Tensors = append(in.Tensors, t)
	}
	p.measured(d)
	d.set("description", fmt.Sprintf("Tail of %s, from %s on.", s.Of, strings.Join(s.At, ", ")))
	d.set("serves", p.spec.Serves)
	d.set("runs_on", []string{infer.Cloud})
	d.set("input", in)
	d.set("sha256", part.sum())
	d.set("split", s)
	part.YAML, err = d.bytes()
	return err
}

// measured says that the accuracy is not the parts' own.
func (p *Plan) measured(d *document) {
	if p.spec.Accuracy == 0 {
		return
	}
	of := p.spec.Measured
	of.Data = "of the whole, before features are quantised; " + cmp.Or(of.Data, "it does not say on what")
	d.set("measured", of)
}

type tailInput struct {
	Type    string                `yaml:"type"`
	Width   int                   `yaml:"width,omitempty"`
	Height  int                   `yaml:"height,omitempty"`
	Tensors []infer.FeatureTensor `yaml:"tensors"`
}

// document is a YAML mapping under edit.
type document struct {
	keys *yaml.Node
	errs []error
}

// edit reads a mapping and keeps some of its keys.
func edit(data []byte, keep func(key string) bool) (*document, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("no mapping")
	}
	d := &document{keys: &yaml.Node{Kind: yaml.MappingNode, HeadComment: written}}
	for i := 0; i+1 < len(doc.Content[0].Content); i += 2 {
		key, value := doc.Content[0].Content[i], doc.Content[0].Content[i+1]
		if keep(key.Value) {
			key.HeadComment = "" // what was said of the whole's file
			d.keys.Content = append(d.keys.Content, key, value)
		}
	}
	return d, nil
}

// set gives a key another value, or adds it.
func (d *document) set(key string, value any) {
	var node yaml.Node
	if err := node.Encode(value); err != nil {
		d.errs = append(d.errs, fmt.Errorf("%s: %w", key, err))
		return
	}
	tidy(&node)
	for i := 0; i+1 < len(d.keys.Content); i += 2 {
		if d.keys.Content[i].Value == key {
			d.keys.Content[i+1] = &node
			return
		}
	}
	d.keys.Content = append(d.keys.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, &node)
}

// tidy writes lists of plain values in one line and leaves out what is empty.
func tidy(n *yaml.Node) {
	plain := true
	for _, c := range n.Content {
		tidy(c)
		plain = plain && c.Kind == yaml.ScalarNode
	}
	if n.Kind == yaml.SequenceNode && plain {
		n.Style = yaml.FlowStyle
	}
	if n.Kind != yaml.MappingNode {
		return
	}
	var full []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		if v := n.Content[i+1]; v.Kind != yaml.ScalarNode || v.Value != "" && v.Value != "0" {
			full = append(full, n.Content[i], v)
		}
	}
	n.Content = full
}

func (d *document) bytes() ([]byte, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := errors.Join(errors.Join(d.errs...), enc.Encode(d.keys), enc.Close()); err != nil {
		return nil, fmt.Errorf("write %s: %w", infer.SpecFile, err)
	}
	return b.Bytes(), nil
}
