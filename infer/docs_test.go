// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The guide shows model.yaml files that work, and each key that there is.
func TestTheGuideOfModels(t *testing.T) {
	text, err := os.ReadFile("../docs/models.md")
	require.NoError(t, err)
	files := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	require.NotEmpty(t, files)
	shown := map[string]bool{}
	for _, file := range files {
		s, err := ParseSpec("model", []byte(file[1]))
		require.NoError(t, err, file[1])
		shown[s.Decoder] = true
	}
	for _, u := range uses() {
		assert.True(t, strings.Contains(string(text), "`"+u.kind.String()+"`"), "docs/models.md does not list kind %s", u.kind)
		for _, decoder := range u.decoders {
			assert.True(t, shown[decoder], "docs/models.md shows no model.yaml with decoder %s", decoder)
		}
	}
	for _, key := range allKeys(reflect.TypeFor[Spec]()) {
		assert.True(t, strings.Contains(string(text), "`"+key+"`"), "docs/models.md says nothing of the key %s: add a row", key)
	}
}

// allKeys lists the keys of a model.yaml, with and without the sections that they are in.
func allKeys(t reflect.Type) (keys []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name != "" {
			keys = append(keys, name)
		}
		if f.Type.Kind() == reflect.Struct && f.Type != reflect.TypeFor[Split]() { // which is not written by hand
			keys = append(keys, allKeys(f.Type)...)
		}
	}
	return keys
}
