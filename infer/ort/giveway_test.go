// SPDX-License-Identifier: Apache-2.0

package ort

import (
	"errors"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLoadingGivesWayAndNothingElseDoes(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("priorities of threads are Linux's")
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before, err := niceOfThread()
	require.NoError(t, err)
	bad := errors.New("bad")
	err = giveWay(func() error {
		inside, err := niceOfThread()
		assert.NoError(t, err)
		assert.Equal(t, min(before+loadNice, 19), inside)
		return bad
	})
	assert.ErrorIs(t, err, bad)
	after, err := niceOfThread()
	require.NoError(t, err)
	assert.Equal(t, before, after)
}

// The first graph is waited for.
func TestOnlyALaterGraphGivesWay(t *testing.T) {
	one, several := newRuntime(t, Options{}), newRuntime(t, Options{Threads: 2})
	for range 2 {
		load(t, one, relu, signal(4))
		load(t, several, relu, signal(4))
	}
	assert.True(t, one.givesWay())
	assert.False(t, several.givesWay(), "its threads would keep the priority")
	first := newRuntime(t, Options{})
	load(t, first, relu, signal(4))
	assert.False(t, first.givesWay())
}
