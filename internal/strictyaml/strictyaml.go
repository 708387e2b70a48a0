// SPDX-License-Identifier: Apache-2.0

// Package strictyaml reads a small YAML file that people write, and says of each mistake on
// which line it is, which key it is about, what the value is and what is allowed.
//
// It keeps no state. Whoever reads a file bounds its size before.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Lines are the lines of the keys that a file has, by their paths, as in "stages[2].needs".
type Lines map[string]int

// Has tells whether the file has a key, be its value as it may.
func (l Lines) Has(path string) bool { return l[path] > 0 }

// Decode reads one YAML document over the values that out, a pointer to a struct of structs,
// slices and scalars with yaml names, already has. A key that the struct does not have, a
// value of the wrong type, a number that is not finite and a second document are errors
// that name the line, the key with its path, the value and what is allowed, all in one line.
func Decode(data []byte, out any) (Lines, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, errors.New("the file is empty")
	case err != nil:
		return nil, err
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one YAML document: allowed is one")
	}
	if len(doc.Content) == 0 {
		return nil, errors.New("the file is empty")
	}
	lines := Lines{}
	return lines, OneLine(lines.assign(doc.Content[0], reflect.ValueOf(out).Elem(), ""))
}

// assign decodes node into v, field by field, so that each error can name its key.
func (l Lines) assign(node *yaml.Node, v reflect.Value, path string) []error {
	switch {
	case node.Kind == yaml.AliasNode:
		return []error{fmt.Errorf("line %d: %s: alias *%s: aliases are not allowed, write the value out", node.Line, path, node.Value)}
	case v.Kind() == reflect.Struct:
		return l.assignStruct(node, v, path)
	case v.Kind() == reflect.Slice:
		return l.assignSlice(node, v, path)
	}
	return assignScalar(node, v, path)
}

func (l Lines) assignStruct(node *yaml.Node, v reflect.Value, path string) []error {
	fields := fieldsOf(v)
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	if node.Kind != yaml.MappingNode {
		return []error{wrongType(node, path, "keys with values: "+strings.Join(keys, ", "))}
	}
	var errs []error
	seen := make(map[string]bool, len(keys))
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		field := slices.Index(keys, key.Value)
		switch full := join(path, key.Value); {
		case field < 0:
			errs = append(errs, fmt.Errorf("line %d: unknown key %q: allowed here are %s", key.Line, full, strings.Join(keys, ", ")))
		case seen[key.Value]:
			errs = append(errs, fmt.Errorf("line %d: %s: given twice", key.Line, full))
		default:
			seen[key.Value] = true
			l[full] = key.Line
			errs = append(errs, l.assign(value, fields[field].value, full)...)
		}
	}
	return errs
}

func (l Lines) assignSlice(node *yaml.Node, v reflect.Value, path string) []error {
	if node.Kind != yaml.SequenceNode {
		return []error{wrongType(node, path, "a list, as in [a, b]")}
	}
	var errs []error
	list := reflect.MakeSlice(v.Type(), len(node.Content), len(node.Content))
	for i, item := range node.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		l[at] = item.Line
		errs = append(errs, l.assign(item, list.Index(i), at)...)
	}
	v.Set(list)
	return errs
}

func assignScalar(node *yaml.Node, v reflect.Value, path string) []error {
	want := map[reflect.Kind]string{
		reflect.String: "text", reflect.Bool: "true or false", reflect.Int: "a whole number", reflect.Float64: "a finite number",
	}[v.Kind()]
	if node.Kind != yaml.ScalarNode || node.Tag == "!!null" || node.Decode(v.Addr().Interface()) != nil {
		return []error{wrongType(node, path, want)}
	}
	if v.Kind() == reflect.Int && node.ShortTag() != "!!int" { // yaml.v3 would cut 6.5 down to 6
		return []error{wrongType(node, path, want)}
	}
	if v.Kind() == reflect.Float64 && (math.IsNaN(v.Float()) || math.IsInf(v.Float(), 0)) {
		return []error{wrongType(node, path, want)}
	}
	return nil
}

func wrongType(node *yaml.Node, path, want string) error {
	got := fmt.Sprintf("%q", Clip(node.Value))
	switch node.Kind {
	case yaml.MappingNode:
		got = "a mapping"
	case yaml.SequenceNode:
		got = "a list"
	}
	if path == "" {
		path = "the file"
	}
	return fmt.Errorf("line %d: %s is %s: allowed is %s", node.Line, path, got, want)
}

// field is one that a key may set.
type field struct {
	key   string
	value reflect.Value
}

// fieldsOf lists a struct's fields in their order; those of a struct that is embedded are
// its own.
func fieldsOf(v reflect.Value) []field {
	var list []field
	for i := range v.NumField() {
		if v.Type().Field(i).Anonymous {
			list = append(list, fieldsOf(v.Field(i))...)
			continue
		}
		list = append(list, field{v.Type().Field(i).Tag.Get("yaml"), v.Field(i)})
	}
	return list
}

func join(path, key string) string {
	if path == "" {
		return Clip(key)
	}
	return path + "." + Clip(key)
}

// Clip keeps a value from outside short enough for a line of log.
func Clip(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// OneLine joins what is wrong into one line, fit for a log and a status; nil for nothing.
func OneLine(errs []error) error {
	if len(errs) == 0 {
		return nil
	}
	lines := make([]string, len(errs))
	for i, err := range errs {
		lines[i] = err.Error()
	}
	return errors.New(strings.Join(lines, "; "))
}
