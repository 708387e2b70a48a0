// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

const (
	envPrefix = "CLOUD_"
	// maxConfigBytes bounds the configuration file.
	maxConfigBytes = 1 << 20
)

// setting is one key of a config.
type setting struct {
	key   string // as in "TLS.Enabled"
	help  string
	value reflect.Value
}

// env is the name of the environment variable, as in CLOUD_TLS_ENABLED.
func (s setting) env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(s.key, ".", "_"))
}

// set reads text as YAML, except for a string, which is taken as it is.
func (s setting) set(text string) error {
	if s.value.Kind() == reflect.String {
		s.value.SetString(text)
		return nil
	}
	fresh := reflect.New(s.value.Type())
	if err := yaml.Unmarshal([]byte(text), fresh.Interface()); err != nil {
		return fmt.Errorf("%q: allowed is a value like %s", text, s)
	}
	s.value.Set(fresh.Elem())
	return nil
}

// String is the value as the file would hold it.
func (s setting) String() string {
	node := &yaml.Node{}
	if err := node.Encode(s.value.Interface()); err != nil {
		return err.Error()
	}
	node.Style = yaml.FlowStyle
	if s.value.Kind() == reflect.String {
		node.Style = yaml.DoubleQuotedStyle
	}
	text, err := yaml.Marshal(node)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text))
}

// settings lists the keys of a configuration in the order of its struct.
func settings(c *config) []setting { return fieldsOf("", reflect.ValueOf(c).Elem()) }

func fieldsOf(prefix string, section reflect.Value) []setting {
	var list []setting
	for i := range section.NumField() {
		field := section.Type().Field(i)
		key := prefix + field.Tag.Get("yaml")
		if section.Field(i).Kind() == reflect.Struct {
			list = append(list, fieldsOf(key+".", section.Field(i))...)
			continue
		}
		list = append(list, setting{key: key, help: field.Tag.Get("help"), value: section.Field(i)})
	}
	return list
}

// load is the defaults, then the file where one is named, then the environment, whose
// unknown names it gives too.
func load(file string, environ []string) (c config, unknown []string, err error) {
	c = defaults()
	if file != "" {
		if err := readFile(&c, file); err != nil {
			return c, nil, err
		}
	}
	unknown, err = readEnvironment(&c, environ)
	if err == nil {
		err = c.validate()
	}
	return c, unknown, err
}

func readFile(c *config, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxConfigBytes+1))
	if err == nil && len(raw) > maxConfigBytes {
		err = fmt.Errorf("allowed is up to %d bytes", maxConfigBytes)
	}
	if err == nil {
		err = readYAML(c, raw)
	}
	if err != nil {
		return fmt.Errorf("configuration %s: %w", file, err)
	}
	return nil
}

// readYAML takes over what raw sets and leaves the rest.
func readYAML(c *config, raw []byte) error {
	var root yaml.Node
	if err := yaml.Unmarshal(raw, &root); err != nil {
		return err
	}
	if len(root.Content) == 0 {
		return nil // an empty file: all defaults
	}
	return readSection("", root.Content[0], settings(c))
}

// readSection reads a mapping whose keys begin with prefix; an unknown key is an error
// that names those that there are.
func readSection(prefix string, node *yaml.Node, known []setting) error {
	if node.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: %s: allowed is a section of keys", node.Line, cmp.Or(strings.TrimSuffix(prefix, "."), "the file"))
	}
	var errs []error
	seen := make(map[string]bool)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := prefix+node.Content[i].Value, node.Content[i+1]
		at := slices.IndexFunc(known, func(s setting) bool { return s.key == key })
		again := seen[key]
		seen[key] = true
		switch {
		case again:
			errs = append(errs, fmt.Errorf("line %d: %s is there twice", node.Content[i].Line, key))
		case at >= 0:
			if err := value.Decode(known[at].value.Addr().Interface()); err != nil {
				errs = append(errs, fmt.Errorf("line %d: %s %q: allowed is a value like %s", value.Line, key, value.Value, setting{value: reflect.Zero(known[at].value.Type())}))
			}
		case slices.ContainsFunc(known, func(s setting) bool { return strings.HasPrefix(s.key, key+".") }):
			errs = append(errs, readSection(key+".", value, known))
		default:
			errs = append(errs, fmt.Errorf("line %d: %s is no key: there are %s", node.Content[i].Line, key, strings.Join(keysUnder(prefix, known), ", ")))
		}
	}
	return errors.Join(errs...)
}

// keysUnder lists the keys and sections directly below prefix.
func keysUnder(prefix string, known []setting) []string {
	var keys []string
	for _, s := range known {
		if rest, ok := strings.CutPrefix(s.key, prefix); ok {
			name, _, _ := strings.Cut(rest, ".")
			keys = append(keys, name)
		}
	}
	return slices.Compact(keys)
}

// readEnvironment takes over CLOUD_… variables and gives the names of those that are no
// setting. They are no error: other programs have such names too, and Kubernetes sets
// them for a service called "cloud".
func readEnvironment(c *config, environ []string) (unknown []string, err error) {
	known := settings(c)
	var errs []error
	for _, entry := range environ {
		name, text, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, envPrefix) {
			continue
		}
		at := slices.IndexFunc(known, func(s setting) bool { return s.env() == name })
		if at < 0 {
			unknown = append(unknown, name)
			continue
		}
		if err := known[at].set(text); err != nil {
			errs = append(errs, fmt.Errorf("environment %s %w", name, err))
		}
	}
	return unknown, errors.Join(errs...)
}
