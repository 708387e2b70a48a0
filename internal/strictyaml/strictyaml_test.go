// SPDX-License-Identifier: Apache-2.0

package strictyaml_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/internal/strictyaml"
)

type file struct {
	Name  string `yaml:"name"`
	Parts []part `yaml:"parts"`
}

type part struct {
	Size float64  `yaml:"size"`
	Tags []string `yaml:"tags"`
}

func TestLinesOfKeys(t *testing.T) {
	var f file
	lines, err := strictyaml.Decode([]byte("name: x\nparts:\n  - size: 1\n    tags:\n      - a\n  - {tags: [b]}\n"), &f)
	require.NoError(t, err)
	assert.Equal(t, file{"x", []part{{1, []string{"a"}}, {0, []string{"b"}}}}, f)
	assert.Equal(t, strictyaml.Lines{
		"name": 1, "parts": 2, "parts[0]": 3, "parts[0].size": 3, "parts[0].tags": 4, "parts[0].tags[0]": 5,
		"parts[1]": 6, "parts[1].tags": 6, "parts[1].tags[0]": 6,
	}, lines)
	assert.True(t, lines.Has("parts[0].size"))
	assert.False(t, lines.Has("parts[1].size"), "left out, which 0 alone would not tell")
}

func TestMistakesNameTheirLine(t *testing.T) {
	for text, want := range map[string]string{
		"name: x\nsize: 1":                 `line 2: unknown key "size": allowed here are name, parts`,
		"name: x\nparts:\n  - {size: big}": `line 3: parts[0].size is "big": allowed is a finite number`,
		"name: x\nname: y":                 "line 2: name: given twice",
		"name: [x]":                        "line 1: name is a list: allowed is text",
		"":                                 "the file is empty",
	} {
		_, err := strictyaml.Decode([]byte(text), &file{})
		assert.EqualError(t, err, want)
	}
}
