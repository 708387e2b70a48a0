// SPDX-License-Identifier: Apache-2.0

package config

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// Number is one that may be left out, "", where 0 would be something else. A file may write
// it with quotation marks or without; a configuration provider keeps text.
type Number string

// UnmarshalJSON implements json.Unmarshaler. Whether the text is a number is seen when the
// section is checked, with the key's name.
func (n *Number) UnmarshalJSON(text []byte) error {
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return err
	}
	switch v := value.(type) {
	case nil:
		*n = ""
	case string:
		*n = Number(v)
	case float64:
		*n = Number(strconv.FormatFloat(v, 'g', -1, 64))
	default:
		return fmt.Errorf("%.40s: allowed is a number", text)
	}
	return nil
}

// number is one from low to high; without stands for one that is left out.
func (c *checker) number(key string, n Number, without, low, high float64) float64 {
	if n == "" {
		return without
	}
	v, err := strconv.ParseFloat(string(n), 64)
	if err != nil || !(v >= low && v <= high) { // so that NaN is wrong
		c.wrong(key, fmt.Sprintf("%q", string(n)), fmt.Sprintf("a number from %v to %v", low, high))
		return without
	}
	return v
}
