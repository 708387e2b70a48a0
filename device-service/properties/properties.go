// SPDX-License-Identifier: Apache-2.0

// Package properties reads the protocol properties of an EdgeX device, which come as
// numbers or as text from a file, a form or the bus, and tells what is wrong with them.
//
// A Reader collects all that is wrong, names key, value and what is allowed, and at the
// end names keys that nobody asked for, which are mostly misspelt. It is not safe for
// concurrent use.
package properties

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Reader reads the properties of one protocol.
type Reader struct {
	protocol string
	values   map[string]any
	asked    map[string]bool
	errs     []error
	lost     bool // a choice failed, so that which keys are known is not
}

// Read starts reading the properties of the named protocol.
func Read(protocol string, values map[string]any) *Reader {
	return &Reader{protocol: protocol, values: values, asked: map[string]bool{}}
}

// Err is all that was wrong, among it keys that were not asked for.
func (r *Reader) Err() error {
	errs := slices.Clone(r.errs)
	if r.lost {
		return errors.Join(errs...)
	}
	for _, key := range slices.Sorted(maps.Keys(r.values)) {
		if !r.asked[key] {
			errs = append(errs, fmt.Errorf("%s.%s is not known: allowed are %s",
				r.protocol, key, strings.Join(slices.Sorted(maps.Keys(r.asked)), ", ")))
		}
	}
	return errors.Join(errs...)
}

// Failf notes that the value of key is wrong.
func (r *Reader) Failf(key, format string, args ...any) {
	r.errs = append(r.errs, fmt.Errorf("%s.%s: %s", r.protocol, key, fmt.Sprintf(format, args...)))
}

// Text is the value of key, or fallback where there is none.
func (r *Reader) Text(key, fallback string) string {
	r.asked[key] = true
	value, ok := r.values[key]
	if !ok || value == nil || value == "" {
		return fallback
	}
	return fmt.Sprint(value)
}

// Required is the value of key, which must be there.
func (r *Reader) Required(key string) string {
	text := r.Text(key, "")
	if text == "" {
		r.Failf(key, "is missing")
	}
	return text
}

// OneOf is the value of key, which must be one of allowed; the first is what it is where
// there is none.
func (r *Reader) OneOf(key string, allowed ...string) string {
	text := r.Text(key, allowed[0])
	if !slices.Contains(allowed, text) {
		r.Failf(key, "%q: allowed are %s", text, strings.Join(allowed, ", "))
	}
	return text
}

// Choice is the value of key, which must be one of allowed, and empty where it is not.
// Which other keys are known depends on it, so without it none is called unknown.
func (r *Reader) Choice(key string, allowed ...string) string {
	text := r.Text(key, "")
	if slices.Contains(allowed, text) {
		return text
	}
	r.lost = true
	r.Failf(key, "%q: allowed are %s", text, strings.Join(allowed, ", "))
	return ""
}

// Number is the value of key within low and high.
func (r *Reader) Number(key string, fallback, low, high float64) float64 {
	text := r.Text(key, "")
	if text == "" {
		return fallback
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(number) || number < low || number > high {
		r.Failf(key, "%q: allowed is a number from %v to %v", text, low, high)
		return fallback
	}
	return number
}

// Integer is the whole number of key within low and high.
func (r *Reader) Integer(key string, fallback, low, high int64) int64 {
	text := r.Text(key, "")
	if text == "" {
		return fallback
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || number != math.Trunc(number) || number < float64(low) || number > float64(high) {
		r.Failf(key, "%q: allowed is a whole number from %d to %d", text, low, high)
		return fallback
	}
	return int64(number)
}

// Bool is true or false.
func (r *Reader) Bool(key string, fallback bool) bool {
	text := r.Text(key, "")
	if text == "" {
		return fallback
	}
	value, err := strconv.ParseBool(text)
	if err != nil {
		r.Failf(key, "%q: allowed are true and false", text)
		return fallback
	}
	return value
}

// Duration is a time such as 500ms or 10s within low and high.
func (r *Reader) Duration(key string, fallback, low, high time.Duration) time.Duration {
	text := r.Text(key, "")
	if text == "" {
		return fallback
	}
	value, err := time.ParseDuration(text)
	if err != nil || value < low || value > high {
		r.Failf(key, "%q: allowed is a time such as 500ms or 10s, from %v to %v", text, low, high)
		return fallback
	}
	return value
}

// URL is the required address of key with one of schemes. What it says on error leaves
// out user and password, which belong into properties of their own.
func (r *Reader) URL(key string, schemes ...string) *url.URL {
	text := r.Required(key)
	if text == "" {
		return &url.URL{}
	}
	address, err := url.Parse(text)
	switch {
	case err != nil:
		r.Failf(key, "is not an address such as %s://host/path", schemes[0])
	case !slices.Contains(schemes, address.Scheme) || address.Host == "":
		r.Failf(key, "%q: allowed is %s://host…", address.Redacted(), strings.Join(schemes, ":// or "))
	case address.User != nil:
		r.Failf(key, "%q carries a user: give User and Password, or SecretName, instead", address.Redacted())
	default:
		return address
	}
	return &url.URL{}
}

// Fingerprint is the same for the same properties, also when numbers came as text once.
func Fingerprint(protocols map[string]map[string]any) string {
	var b strings.Builder
	for _, protocol := range slices.Sorted(maps.Keys(protocols)) {
		for _, key := range slices.Sorted(maps.Keys(protocols[protocol])) {
			fmt.Fprintf(&b, "%q %q %q\n", protocol, key, fmt.Sprint(protocols[protocol][key]))
		}
	}
	return b.String()
}
