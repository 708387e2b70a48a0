// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"math"

	"gopkg.in/yaml.v3"

	"edgex-offload/infer"
)

// floatYAML is the file of the model in float32 with what was measured. All else stays, with
// its comments and its order.
func (q *quantization) floatYAML() ([]byte, error) {
	d, err := editYAML(q.from.yaml)
	if err != nil {
		return nil, err
	}
	if d.value("precision") == nil {
		d.set("precision", "fp32")
	}
	d.merge("cost", q.cost(q.found.Float, q.to))
	return d.bytes()
}

// quantizedYAML is the file of the new version.
func (q *quantization) quantizedYAML() ([]byte, error) {
	d, err := editYAML(q.from.yaml)
	if err != nil {
		return nil, err
	}
	d.forgetAbove()
	d.doc.HeadComment = "Written by offload model quantize from " + q.from.variant() + "; quantize again rather than edit."
	if q.from.spec.Description != "" {
		d.set("description", q.from.spec.Description+" INT8.")
	}
	d.set("serves", q.from.spec.Serves)
	d.set("precision", "int8")
	d.drop("cost")
	d.merge("cost", q.cost(q.found.Int, q.from))
	accuracy, how := q.accuracy()
	if accuracy > 0 {
		d.set("accuracy", accuracy)
	} else {
		d.drop("accuracy")
	}
	d.set("measured", infer.Measured{Data: how, Samples: q.data.judge.Count, Command: q.command()})
	d.set("sha256", sumOf(q.found.ONNX))
	return d.bytes()
}

func (q *quantization) command() string {
	text := fmt.Sprintf("offload model quantize %s --model %s --data %s --samples %d", q.from.folder, q.from.name, q.quantizeOptions.data, q.samples)
	if q.labelled != "" {
		text += " --labelled " + q.labelled
	}
	return text
}

// accuracy is one that can be compared with that of the model in float32: its own, less what
// was lost. Where it has none, it is what was measured, if anything was.
func (q *quantization) accuracy() (float64, string) {
	stated := q.from.spec.Accuracy
	lost := q.found.Drop / 100
	round := func(v float64) float64 { return math.Round(1e4*min(max(v, 0), 1)) / 1e4 }
	switch {
	case q.said.Labelled() && stated == 0:
		return round(q.says.Accuracy()), q.data.text
	case q.said.Labelled():
		return round(stated - lost), fmt.Sprintf("%s: %.4f, float32 %.4f; the difference taken off the accuracy of %s (%g)", q.data.text, q.says.Accuracy(), q.said.Accuracy(), q.from.variant(), stated)
	case stated == 0:
		return 0, fmt.Sprintf("%s: %.4f", q.data.text, 1-lost)
	}
	return round(stated - lost), fmt.Sprintf("%s: %.4f; what differs taken off the accuracy of %s (%g)", q.data.text, 1-lost, q.from.variant(), stated)
}

// yamlFile is a mapping under edit.
type yamlFile struct {
	doc  yaml.Node
	keys *yaml.Node
	errs []error
}

func editYAML(data []byte) (*yamlFile, error) {
	d := &yamlFile{}
	if err := yaml.Unmarshal(data, &d.doc); err != nil {
		return nil, err
	}
	if len(d.doc.Content) != 1 || d.doc.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s has no keys", infer.SpecFile)
	}
	d.keys = d.doc.Content[0]
	return d, nil
}

// forgetAbove drops what stands above the keys: it is said of another file.
func (d *yamlFile) forgetAbove() {
	d.doc.HeadComment, d.doc.FootComment, d.keys.HeadComment = "", "", ""
	for i := 0; i < len(d.keys.Content); i += 2 {
		d.keys.Content[i].HeadComment = ""
	}
}

// at is the place of a key's value; -1 if it is not there.
func (d *yamlFile) at(mapping *yaml.Node, key string) int {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return i + 1
		}
	}
	return -1
}

func (d *yamlFile) value(key string) *yaml.Node {
	if at := d.at(d.keys, key); at >= 0 {
		return d.keys.Content[at]
	}
	return nil
}

func (d *yamlFile) set(key string, value any) { d.put(d.keys, key, value) }

// put gives a key another value, or adds it at the end.
func (d *yamlFile) put(mapping *yaml.Node, key string, value any) {
	var node yaml.Node
	if err := node.Encode(value); err != nil {
		d.errs = append(d.errs, fmt.Errorf("%s: %w", key, err))
		return
	}
	if at := d.at(mapping, key); at >= 0 {
		node.LineComment = mapping.Content[at].LineComment
		mapping.Content[at] = &node
		return
	}
	mapping.Content = append(mapping.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, &node)
}

// merge gives keys within a key other values; what else there is stays.
func (d *yamlFile) merge(key string, values map[string]any) {
	node := d.value(key)
	if node == nil || node.Kind != yaml.MappingNode {
		d.set(key, map[string]any{})
		node = d.value(key)
		node.Style = 0
	}
	for _, name := range []string{"service_ms", "measured"} {
		if v, is := values[name]; is {
			d.put(node, name, v)
		}
	}
}

func (d *yamlFile) drop(key string) {
	if at := d.at(d.keys, key); at >= 0 {
		d.keys.Content = append(d.keys.Content[:at-1], d.keys.Content[at+1:]...)
	}
}

func (d *yamlFile) bytes() ([]byte, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := errors.Join(errors.Join(d.errs...), enc.Encode(&d.doc), enc.Close()); err != nil {
		return nil, fmt.Errorf("write %s: %w", infer.SpecFile, err)
	}
	return b.Bytes(), nil
}
