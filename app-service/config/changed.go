// SPDX-License-Identifier: Apache-2.0

package config

import (
	"cmp"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Watched is the part that may change as the configuration provider has it: a tree of texts.
// The SDK would read it into a Writable itself, and keep what cannot be read, as a number that
// is none, to a line of its own log: the operator would wait for a change that never comes.
type Watched map[string]any

// Writable is the tree's, over the defaults. The error has one line for each value that cannot
// be read; what a value may be is for Live to check. Keys that nobody reads are passed over: a
// later version may have left them. A tree without any key is nobody's wish, and is refused.
func (t Watched) Writable() (Writable, error) {
	w, c := Default().Writable, checker{path: Section + ".Writable"}
	if len(t) == 0 { // a store that lost its data, or lost the branch by mistake
		c.wrong("", "without keys", "a section with its Tasks, as a start pushes it")
	}
	c.fill("", map[string]any(t), reflect.ValueOf(&w).Elem())
	return w, c.err()
}

func (c *checker) fill(path string, value any, into reflect.Value) {
	key := strings.TrimPrefix(path, ".")
	branch, isBranch := value.(map[string]any)
	switch kind := into.Kind(); {
	case value == nil: // left out
	case kind == reflect.Struct && isBranch:
		for i := range into.NumField() {
			if name := into.Type().Field(i).Name; has(branch, &name) {
				c.fill(path+"."+name, branch[name], into.Field(i))
			}
		}
	case kind == reflect.Map && isBranch:
		c.entries(path, branch, into)
	case kind == reflect.Struct || kind == reflect.Map:
		c.wrong(key, fmt.Sprintf("%.40q", fmt.Sprint(value)), "keys below it, and no value")
	case isBranch:
		c.wrong(key, "with keys below it", "a value")
	default:
		c.scalar(key, fmt.Sprint(value), into)
	}
}

func (c *checker) entries(path string, branch map[string]any, into reflect.Value) {
	into.Set(reflect.MakeMap(into.Type()))
	for name, value := range branch {
		if name == "" { // Consul's own page makes a folder with a key that ends with a slash
			c.wrong(strings.TrimPrefix(path, ".")+"/", `""`, "no key for the folder itself: delete it, the service does not start with it")
			continue
		}
		entry := reflect.New(into.Type().Elem()).Elem()
		c.fill(path+"."+name, value, entry)
		into.SetMapIndex(reflect.ValueOf(name), entry)
	}
}

// has finds a key as the SDK does, which does so without regard to case when there is none
// that is written the same; name is then as it is written.
func has(branch map[string]any, name *string) bool {
	if _, ok := branch[*name]; ok {
		return true
	}
	for key := range branch {
		if strings.EqualFold(key, *name) {
			*name = key
			return true
		}
	}
	return false
}

// scalar reads one value; what has another kind of type than these is not in Writable.
func (c *checker) scalar(key, text string, into reflect.Value) {
	switch into.Kind() {
	case reflect.String:
		into.SetString(text)
	case reflect.Bool:
		read(c, key, text, "true or false", into.SetBool, strconv.ParseBool)
	case reflect.Int:
		read(c, key, text, "a whole number", into.SetInt, func(text string) (int64, error) {
			return strconv.ParseInt(text, 0, into.Type().Bits())
		})
	case reflect.Float64:
		read(c, key, text, "a number", into.SetFloat, func(text string) (float64, error) {
			return strconv.ParseFloat(text, 64)
		})
	}
}

// read takes an empty text for 0 or false, as the SDK does at the start.
func read[T any](c *checker, key, text, allowed string, set func(T), parse func(string) (T, error)) {
	v, err := parse(cmp.Or(text, "0"))
	if err != nil {
		c.wrong(key, fmt.Sprintf("%.40q", text), allowed)
		return
	}
	set(v)
}
