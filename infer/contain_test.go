// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/offload"
)

// lines keeps what is logged.
type lines []string

func (l *lines) Infof(string, ...any)             {}
func (l *lines) Warnf(format string, args ...any) { *l = append(*l, fmt.Sprintf(format, args...)) }

func (l *lines) count(text string) (n int) {
	for _, line := range *l {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

func TestAPanicIsTheModelsFailureAlone(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "surface", "1", "0", tinyImage)
	put(t, dir, "surface", "2", "panics", tinyImage)
	put(t, dir, "late", "1", "panics later", tinyImage)
	b, log := &fakeBackend{started: make(chan struct{})}, &lines{}
	r, err := Open(Options{Dir: dir, Backend: b, Rescan: time.Hour, Log: log, Concurrency: 1})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, r.Close()) })
	require.NoError(t, r.Wait(t.Context()))
	assert.Equal(t, map[string]State{"late/1": Ready, "surface/1": Ready, "surface/2": Failed}, statesOf(r))
	assert.Contains(t, r.Model("surface")[0].Error, "first inference: panicked: index out of range")
	assert.Equal(t, 2, b.graphs, "what panicked is freed")

	for range 3 {
		_, err = r.Infer(t.Context(), "late/1", offload.Task{Payload: pixel(t)})
		require.ErrorContains(t, err, "late/1: panicked: index out of range")
	}
	assert.Equal(t, 1, log.count("model late/1 panicked"), "once")
	assert.Equal(t, 2, log.count("fakeGraph"), "with the place, as at the first inference of the other one")
	assert.Equal(t, uint64(3), r.Model("late")[0].Errors)
	_, err = r.Infer(t.Context(), "surface/1", offload.Task{Payload: pixel(t)})
	require.NoError(t, err, "the only place was given back")
}
