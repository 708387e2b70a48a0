// SPDX-License-Identifier: Apache-2.0

package compare

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"edgex-offload/offload"
)

// Keys are the settings that can be set by name, as Weights.Accuracy. The policy is not one
// of them: it is what is compared.
func Keys() []string {
	var s offload.Settings
	return keysOf(reflect.ValueOf(&s).Elem(), "")
}

func keysOf(v reflect.Value, under string) []string {
	var keys []string
	for i := range v.NumField() {
		name := under + v.Type().Field(i).Name
		switch field := v.Field(i); {
		case field.Kind() == reflect.Struct:
			keys = append(keys, keysOf(field, name+".")...)
		case name != "Policy" && allowed(field) != "":
			keys = append(keys, name)
		}
	}
	return keys
}

// Set changes one setting from text. The error lists the keys, or says what the key takes;
// whether the value is in range is Settings.Validate's to say.
func Set(s *offload.Settings, key, value string) error {
	name := ""
	for _, k := range Keys() {
		if strings.EqualFold(k, key) {
			name = k
		}
	}
	if name == "" {
		return fmt.Errorf("%s: no such setting; allowed are %s", key, strings.Join(Keys(), ", "))
	}
	field := reflect.ValueOf(s).Elem()
	for part := range strings.SplitSeq(name, ".") {
		field = field.FieldByName(part)
	}
	if !assign(field, value) {
		return fmt.Errorf("%s %q: allowed is %s", name, value, allowed(field))
	}
	return nil
}

// allowed says what a setting takes; "" of one that text cannot set.
func allowed(field reflect.Value) string {
	switch field.Kind() {
	case reflect.Float64:
		return "a number"
	case reflect.Int64:
		if field.Type() == reflect.TypeFor[time.Duration]() {
			return "a time with its unit, as 5ms"
		}
		return "a whole number"
	case reflect.Int, reflect.Int32:
		return "a whole number"
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a text"
	default:
		return ""
	}
}

func assign(field reflect.Value, value string) bool {
	if field.Type() == reflect.TypeFor[time.Duration]() {
		d, err := time.ParseDuration(value)
		field.SetInt(int64(d))
		return err == nil
	}
	switch field.Kind() {
	case reflect.Float64:
		f, err := strconv.ParseFloat(value, 64)
		field.SetFloat(f)
		return err == nil
	case reflect.Bool:
		b, err := strconv.ParseBool(value)
		field.SetBool(b)
		return err == nil
	case reflect.String:
		field.SetString(value)
		return true
	default:
		n, err := strconv.ParseInt(value, 10, field.Type().Bits())
		field.SetInt(n)
		return err == nil
	}
}
