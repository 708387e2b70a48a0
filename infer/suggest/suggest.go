// SPDX-License-Identifier: Apache-2.0

package suggest

import (
	"fmt"
	"slices"
	"strings"

	"edgex-offload/infer"
)

// Graph is what is known of a graph.
type Graph struct {
	Inputs, Outputs []infer.Port
	// Notes are the metadata that the exporter wrote.
	Notes map[string]string
}

// YAML is a model.yaml to begin with.
func (g Graph) YAML() string {
	in := g.input()
	head := g.head(in)
	var b strings.Builder
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(&b, format+"\n", args...) }
	line("kind: %s", head.kind)
	line("input:")
	for _, l := range slices.Concat(in.lines(), head.input) {
		line("  %s", l)
	}
	line("decoder: %s", head.decoder)
	for _, l := range head.lines {
		line("%s", l)
	}
	if head.labels > 0 {
		line("%s", g.labels(head.labels))
	}
	return b.String()
}

// The sizes of pictures where the graph leaves them free.
const (
	detectorSide   = 640
	classifierSide = 224
)

// input is what the graph's input looks like.
type input struct {
	kind          string // image, signal or text
	layout        string
	channels      int64
	width, height int64 // 0: free
	shape         []int64
	tokens        int64
	whole         bool // a type of whole numbers
}

func (g Graph) input() input {
	if at := slices.IndexFunc(g.Inputs, isIDs); at >= 0 {
		in := input{kind: "text", tokens: 128}
		if s := g.Inputs[at].Shape; len(s) == 2 && s[1] >= 3 && s[1] <= 8192 {
			in.tokens = s[1]
		}
		return in
	}
	if len(g.Inputs) == 0 {
		return input{kind: "signal", shape: []int64{1}}
	}
	p := g.Inputs[0]
	in := input{whole: strings.HasPrefix(p.Type, "uint") || strings.HasPrefix(p.Type, "int")}
	if s := p.Shape; len(s) == 4 {
		colours := func(n int64) bool { return n == 1 || n == 3 }
		switch {
		case colours(s[1]):
			in.kind, in.layout, in.channels, in.height, in.width = "image", "NCHW", s[1], s[2], s[3]
		case colours(s[3]):
			in.kind, in.layout, in.channels, in.height, in.width = "image", "NHWC", s[3], s[1], s[2]
		}
	}
	if in.kind == "image" {
		in.width, in.height = bounded(in.width, 4096), bounded(in.height, 4096)
		return in
	}
	in.kind = "signal"
	room := int64(16 << 20) // values that a model may have
	for _, d := range p.Shape[min(1, len(p.Shape)):min(5, len(p.Shape))] {
		d = max(bounded(d, room), 1)
		in.shape, room = append(in.shape, d), room/d
	}
	if len(in.shape) == 0 {
		in.shape = []int64{1}
	}
	return in
}

func isIDs(p infer.Port) bool {
	return strings.Contains(p.Name, "input_ids") || strings.Contains(p.Name, "word_ids")
}

// bounded is n if it is 1 to most, else 0.
func bounded(n, most int64) int64 {
	if n < 1 || n > most {
		return 0
	}
	return n
}

// lines are the keys of section input that the graph itself tells.
func (in input) lines() []string {
	lines := []string{"type: " + in.kind}
	switch in.kind {
	case "text":
		return append(lines, fmt.Sprintf("max_tokens: %d", in.tokens), "cased: false # true for a cased model", "vocabulary: vocab.txt # put the model's beside this file")
	case "signal":
		return append(lines, fmt.Sprintf("shape: [%s] # without the batch; a dimension that the graph leaves free is as in training", joined(in.shape)))
	}
	if in.layout == "NHWC" {
		lines = append(lines, "layout: NHWC")
	}
	return lines
}

// size are the lines of a picture's size; side is for what the graph leaves free.
func (in input) size(side int64) []string {
	line := func(key string, n int64) string {
		if n == 0 {
			return fmt.Sprintf("%s: %d # the graph leaves it free: as in training", key, side)
		}
		return fmt.Sprintf("%s: %d", key, n)
	}
	return []string{line("width", in.width), line("height", in.height)}
}

func joined(numbers []int64) string {
	parts := make([]string, len(numbers))
	for i, n := range numbers {
		parts[i] = fmt.Sprint(n)
	}
	return strings.Join(parts, ", ")
}
