// SPDX-License-Identifier: Apache-2.0

package cascade

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The guide's example is right, and it explains every key.
func TestGuide(t *testing.T) {
	text, err := os.ReadFile("../docs/cascades.md")
	require.NoError(t, err)
	example := regexp.MustCompile("(?s)```yaml\n(name: .*?)```").FindSubmatch(text)
	require.NotNil(t, example)
	c, err := Parse("people", example[1])
	require.NoError(t, err)
	require.Len(t, c.Stages, 4)
	_, err = Parse("x", []byte("stages: [{nonsense: 1}]"))
	_, keys, _ := strings.Cut(err.Error(), "allowed here are ")
	for key := range strings.SplitSeq(keys, ", ") {
		require.Contains(t, string(text), "| `"+key+"` |", "the table of keys")
	}
}
