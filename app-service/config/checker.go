// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"time"
)

// checker collects what is wrong below a path of the configuration.
type checker struct {
	path string
	errs []error
}

func (c *checker) err() error { return errors.Join(c.errs...) }

// add takes an error whose text already starts with the whole path.
func (c *checker) add(err error) {
	if err != nil {
		c.errs = append(c.errs, err)
	}
}

// under takes an error, or several joined, whose text starts with a key below the path.
func (c *checker) under(err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, each := range joined.Unwrap() {
			c.under(each)
		}
	} else if err != nil {
		c.add(fmt.Errorf("%s.%w", c.path, err))
	}
}

// at takes an error that does not name its key.
func (c *checker) at(key string, err error) {
	if err != nil {
		c.add(fmt.Errorf("%s.%s: %w", c.path, key, err))
	}
}

func (c *checker) wrong(key string, value any, allowed string) {
	if key != "" {
		key = "." + key
	}
	c.add(fmt.Errorf("%s%s %v: allowed is %s", c.path, key, value, allowed))
}

func check[T int | float64](c *checker, key string, value, low, high T, unit string) {
	if !(value >= low && value <= high) { // so that NaN is wrong
		c.wrong(key, value, fmt.Sprintf("%v to %v %s", low, high, unit))
	}
}

func (c *checker) duration(key, text string, low, high time.Duration) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil || d < low || d > high {
		c.wrong(key, fmt.Sprintf("%q", text), fmt.Sprintf("a duration from %s to %s, as in 500ms", low, high))
	}
	return d
}

// upTo is a duration that may be left out.
func (c *checker) upTo(key, text string, high time.Duration) time.Duration {
	if text == "" {
		return 0
	}
	return c.duration(key, text, 0, high)
}

// optional is a duration whose range somebody else checks; fallback stands for one that
// is left out or cannot be read.
func (c *checker) optional(key, text string, fallback time.Duration) time.Duration {
	if text == "" {
		return fallback
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		c.wrong(key, fmt.Sprintf("%q", text), "a duration, as in 500ms")
		return fallback
	}
	return d
}
