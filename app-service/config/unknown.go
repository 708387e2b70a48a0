// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// unknownKeys names each key of the section in a configuration file that nobody reads,
// as a misspelt one, or one of an earlier version. Case does not matter, as in the SDK.
func unknownKeys(text []byte) error {
	var sections map[string]any
	if err := yaml.Unmarshal(text, &sections); err != nil {
		return fmt.Errorf("configuration file: %w", err)
	}
	c := checker{path: Section}
	c.unknown("", sections[Section], reflect.TypeFor[Offload]())
	return c.err()
}

func (c *checker) unknown(path string, value any, of reflect.Type) {
	keys, ok := value.(map[string]any)
	if !ok {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		switch of.Kind() {
		case reflect.Map:
			c.unknown(path+"."+key, keys[key], of.Elem())
		case reflect.Struct:
			field, ok := of.FieldByNameFunc(func(name string) bool { return strings.EqualFold(name, key) })
			if !ok {
				c.add(fmt.Errorf("%s%s.%s is unknown: allowed are %s", c.path, path, key, strings.Join(fieldNames(of), ", ")))
				continue
			}
			if by := field.Tag.Get(replacedTag); by != "" {
				c.add(fmt.Errorf("%s%s.%s is %s", c.path, path, key, replacedBy(by)))
				continue
			}
			c.unknown(path+"."+key, keys[key], field.Type)
		default: // a block where a value belongs: the SDK refuses it
		}
	}
}

func fieldNames(of reflect.Type) (names []string) {
	for i := range of.NumField() {
		if of.Field(i).Tag.Get(replacedTag) == "" {
			names = append(names, of.Field(i).Name)
		}
	}
	return names
}
