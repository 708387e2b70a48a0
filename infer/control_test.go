// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/offload"
)

// served is a repository that answers commands, with versions 1 to 3 of a model.
func served(t *testing.T) (*Repository, string) {
	t.Helper()
	dir := t.TempDir()
	for i, version := range []string{"1", "2", "3"} {
		put(t, dir, "surface", version, string(rune('0'+i)), tinyImage)
	}
	r, _ := repository(t, dir, "")
	require.Equal(t, "surface/3 dent", label(t, r))
	return r, dir
}

func TestWhatIsDoneByHandHolds(t *testing.T) {
	r, dir := served(t)
	ctx := t.Context()
	require.NoError(t, r.Rollback(ctx, "surface"))
	assert.Equal(t, "surface/2 scratch", label(t, r))
	require.NoError(t, r.Rollback(ctx, "surface"))
	assert.Equal(t, "surface/1 good", label(t, r), "not back to the one that was left")
	require.NoError(t, r.Rescan(ctx))
	r.drains.Wait()
	assert.Equal(t, map[string]State{"surface/1": Ready, "surface/2": TakenBack, "surface/3": TakenBack}, statesOf(r))
	assert.ErrorContains(t, r.Rollback(ctx, "surface"), "no version before 1 in the folder to go back to: there are 1, 2, 3")

	require.NoError(t, r.Load(ctx, "surface", "2"))
	require.NoError(t, r.Rescan(ctx))
	assert.Equal(t, "surface/2 scratch", label(t, r), "it stays, though 3 is there")
	require.NoError(t, r.Load(ctx, "surface", ""))
	assert.Equal(t, "surface/3 dent", label(t, r))

	require.NoError(t, r.Unload(ctx, "surface"))
	require.NoError(t, r.Rescan(ctx))
	_, err := r.InferModel(ctx, offload.Task{Model: "surface", Payload: pixel(t)})
	require.ErrorIs(t, err, ErrNotReady)
	assert.ErrorIs(t, r.Rollback(ctx, "surface"), ErrNotReady)
	assert.Empty(t, r.OffloadModels()[0].Local)
	put(t, dir, "surface", "4", "0", tinyImage)
	require.NoError(t, r.Rescan(ctx))
	assert.Equal(t, "surface/4 good", label(t, r), "a version that is added ends what was decided by hand")
}

func TestRollbackGoesToWhatAnsweredBefore(t *testing.T) {
	r, _ := served(t)
	require.NoError(t, r.Load(t.Context(), "surface", "1"))
	require.NoError(t, r.Load(t.Context(), "surface", "3"))
	require.NoError(t, r.Rollback(t.Context(), "surface"))
	assert.Equal(t, "surface/1 good", label(t, r), "and not to 2, which is next")
}

func TestWhatCannotBeDoneByHandChangesNothing(t *testing.T) {
	r, dir := served(t)
	ctx := t.Context()
	assert.ErrorContains(t, r.Load(ctx, "surface", "9"), `surface has no version "9": there are 1, 2, 3`)
	assert.ErrorContains(t, r.Load(ctx, "cats", ""), `model "cats": there are surface`)
	assert.ErrorIs(t, r.Unload(ctx, "cats"), ErrNoModel)
	assert.ErrorIs(t, r.Rollback(ctx, "cats"), ErrNoModel)
	put(t, dir, "surface", "4", "broken", tinyImage)
	assert.ErrorContains(t, r.Load(ctx, "surface", "4"), "cannot read graph")
	assert.Equal(t, "surface/3 dent", label(t, r))
	require.NoError(t, os.Rename(dir, dir+"-away"))
	assert.ErrorIs(t, r.Rescan(ctx), os.ErrNotExist)
	assert.Equal(t, "surface/3 dent", label(t, r))
	require.NoError(t, r.Close())
	assert.ErrorIs(t, r.Load(ctx, "surface", ""), ErrClosed)
}

func TestATrialIsEndedByHand(t *testing.T) {
	r, _, _ := onTrial(t, takes(10*time.Millisecond), "")
	require.NoError(t, r.rollbackByHand(t.Context(), "surface"))
	assert.Equal(t, map[string]State{"surface/1": Ready, "surface/2": TakenBack}, statesOf(r))
	assert.Contains(t, r.Models()[0].Error, "by hand")

	r, _, _ = onTrial(t, takes(10*time.Millisecond), "")
	require.NoError(t, r.loadByHand(t.Context(), "surface", "2"))
	assert.Equal(t, Ready, statesOf(r)["surface/2"], "promoted at once")
	r.drains.Wait()

	r, _, _ = onTrial(t, takes(10*time.Millisecond), "")
	require.NoError(t, r.loadByHand(t.Context(), "surface", "1"))
	r.drains.Wait()
	assert.Equal(t, map[string]State{"surface/1": Ready, "surface/2": Unloaded}, statesOf(r))
	r.look(t.Context(), true)
	assert.Equal(t, Unloaded, statesOf(r)["surface/2"])
}

// Reading the files of all models may take minutes.
func TestLoadingOneByHandReadsTheFilesOfNoOther(t *testing.T) {
	r, dir := served(t)
	put(t, dir, "other", "1", "0", tinyImage)
	require.NoError(t, r.Load(t.Context(), "surface", "1"))
	assert.Empty(t, r.Model("other"), "not taken note of: its files may be half there")
	require.NoError(t, r.Load(t.Context(), "other", ""))
	assert.Equal(t, Ready, r.Model("other")[0].State)
}

func TestCommandsAreBoundedAndTheirTimeToo(t *testing.T) {
	r, _ := served(t)
	busy, held := make(chan struct{}), make(chan struct{})
	first := make(chan error, 1)
	begun, leave := context.WithCancel(t.Context())
	go func() {
		first <- r.ask(begun, func(context.Context) error {
			close(held)
			<-busy
			return nil
		})
	}()
	<-held
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range mostCommands {
		err := r.Load(gone, "surface", "1")
		require.ErrorIs(t, err, ErrBusy)
		require.ErrorContains(t, err, "not begun")
	}
	require.ErrorIs(t, r.Load(t.Context(), "surface", "1"), ErrBusy)
	leave()
	require.ErrorIs(t, <-first, ErrUnderWay, "what was begun goes on")
	close(busy)
	waitFor(func() bool { return len(r.commands) == 0 })
	require.NoError(t, r.Rescan(t.Context()))
	assert.Equal(t, "surface/3 dent", label(t, r), "what nobody waits for any more is not begun")
}

func TestWhatWasLearnedOfAVersionIsThereAgain(t *testing.T) {
	r, _ := served(t)
	for range 20 {
		label(t, r)
	}
	before := r.OffloadModels()[0].Local[0]
	require.NoError(t, r.Rollback(t.Context(), "surface"))
	assert.Equal(t, "surface/2", r.OffloadModels()[0].Local[0].Name)
	require.NoError(t, r.Load(t.Context(), "surface", "3"))
	assert.Equal(t, before, r.OffloadModels()[0].Local[0])
	assert.Equal(t, uint64(21), r.Models()[0].Answers)
}

func TestCostIsWhatIsExpectedUntilMeasured(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "surface", "1", "0", tinyImage+"runs_on: [cloud]\nsize: large\nprecision: int8\ncost: {service_ms: 12, joules: 0.5, memory_mb: 90, measured: Xavier}\n")
	r, _ := repository(t, dir, Box)
	assert.Equal(t, 12*time.Millisecond, r.OffloadModels()[0].Remote.Service)
	s := r.Model("surface")[0]
	assert.Equal(t, 12., s.ServiceMs)
	assert.Equal(t, Cost{ServiceMs: 12, Joules: .5, MemoryMB: 90, Measured: "Xavier"}, *s.Cost)
	assert.Equal(t, [2]string{"large", "int8"}, [2]string{s.Size, s.Precision})
	assert.Nil(t, r.Model("none"))
	_, err := ParseSpec("m", []byte(tinyImage+"size: huge\nprecision: fp4\nconcurrency: -1\ncost: {joules: -2}\ncanary: {share: 0.7, tasks: 3}\nfiles: [{name: ../a, sha256: 00}]\n"))
	for _, want := range []string{
		`size is "huge": allowed is tiny`, `precision is "fp4"`, "concurrency is -1", "cost.joules is -2", "canary.share is 0.7", "canary.tasks is 3",
		`files[0].name is "../a"`, `files[0].sha256 is "00": allowed is 64 hex digits`,
	} {
		assert.ErrorContains(t, err, want)
	}
}
