// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// A command that is mistyped ended with the help of the one above it and as if all were well.
func TestUnknownCommandsAreErrors(t *testing.T) {
	for _, above := range []string{"model", "cascade", "trace", "link"} {
		root := command()
		root.SetArgs([]string{above, "chekc"})
		root.SetOut(io.Discard)
		require.ErrorContains(t, root.Execute(), `unknown command "chekc" for "offload `+above+`": allowed are `)

		root.SetArgs([]string{above})
		require.NoError(t, root.Execute())
	}
}
