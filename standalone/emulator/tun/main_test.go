// SPDX-License-Identifier: Apache-2.0

package tun

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"edgex-offload/standalone/emulator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds a test that would hang, and is never asserted.
const patience = 30 * time.Second

const ms = time.Millisecond

// steady is a link that does not change.
type steady emulator.Conditions

func (s steady) Next() emulator.Conditions { return emulator.Conditions(s) }

func start(t testing.TB, o Options) *Network {
	t.Helper()
	if err := Available(); err != nil {
		t.Skip(err)
	}
	n, err := New(o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, n.Close()) })
	return n
}
