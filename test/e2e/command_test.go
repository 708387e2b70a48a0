// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/standalone/report"
)

// offloadCommand is the command line, as a user has it.
func offloadCommand(t *testing.T, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	needONNXRuntime(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	t.Cleanup(cancel)
	command := exec.CommandContext(ctx, filepath.Join(binaries, "offload"), args...)
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 30 * time.Second
	return command, &output
}

// TestUpOverAFlakyLink is the demonstration: both paths answer, nearly all in time, and
// the figures follow from the records.
func TestUpOverAFlakyLink(t *testing.T) {
	dir := t.TempDir()
	file, decisions := filepath.Join(dir, "report.json"), filepath.Join(dir, "decisions.jsonl")
	command, output := offloadCommand(t, "up", "--home", root, "--for", "30s", "--profile", "flaky", "--report", file, "--decisions", decisions)
	require.NoError(t, command.Run(), output)
	t.Log(output)

	body, err := os.ReadFile(file)
	require.NoError(t, err)
	var got report.Report
	require.NoError(t, json.Unmarshal(body, &got))
	assert.Positive(t, got.Outcomes.Local)
	assert.Positive(t, got.Outcomes.Cloud)
	assert.Positive(t, got.EventsPublished)
	assert.Greater(t, got.OnTime, .9)
	require.NotNil(t, got.Accuracy)
	require.NotNil(t, got.PromisedAccuracy)
	for _, line := range []string{"link down", "link up after", "conveyor-1/Frame", "machine-1/Window", "answered by"} {
		assert.Contains(t, output.String(), line)
	}

	kept, err := os.Open(decisions)
	require.NoError(t, err)
	defer func() { _ = kept.Close() }()
	records, err := report.ReadRecords(kept)
	require.NoError(t, err)
	again := report.From(records, report.Seen{
		Frames: got.Frames, EventsPublished: got.EventsPublished, PassedOver: got.PassedOver, Profile: got.Profile,
	})
	again.DurationS = got.DurationS
	recomputed, err := json.Marshal(again)
	require.NoError(t, err)
	assert.JSONEq(t, string(body), string(recomputed), "each figure follows from the records")
}

// TestUpNamesTheStageThatCarriedNothing runs a camera whose pictures are none.
func TestUpNamesTheStageThatCarriedNothing(t *testing.T) {
	photos, dir := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(photos, "broken.jpg"), []byte("not a picture"), 0o600))
	command, output := offloadCommand(t, "up", "--home", root, "--dir", dir, "--camera", photos, "--for", "3s")
	var exit *exec.ExitError
	require.ErrorAs(t, command.Run(), &exit, output)
	assert.Equal(t, 1, exit.ExitCode())
	assert.Contains(t, output.String(), "carried nothing: frames")
	assert.FileExists(t, filepath.Join(dir, "logs", "device-service.log"), "the logs are kept")
}

// TestCtrlCEndsAllOfIt guards that no process is left behind.
func TestCtrlCEndsAllOfIt(t *testing.T) {
	dir := t.TempDir()
	command, output := offloadCommand(t, "up", "--home", root, "--dir", dir, "--profile", "lan")
	require.NoError(t, command.Start())
	answered := func() bool {
		log, err := os.ReadFile(filepath.Join(dir, "logs", "device-service.log"))
		return err == nil && bytes.Contains(log, []byte("cameras and sensors are on their way"))
	}
	require.Eventually(t, answered, patience, 50*time.Millisecond, output)
	require.NoError(t, command.Process.Signal(os.Interrupt))
	// It may have carried too little to be content; it must end, and leave nothing.
	_ = command.Wait()
	assert.Empty(t, running(t), output)
}

// TestAServiceThatDiesIsReported kills one and reads what the user is told.
func TestAServiceThatDiesIsReported(t *testing.T) {
	command, output := offloadCommand(t, "up", "--home", root, "--camera", samples(t), "--models", usersModels(t))
	require.NoError(t, command.Start())
	victim := 0
	require.Eventually(t, func() bool {
		victim = running(t)["device-service"] // the last to be started
		return victim != 0
	}, patience, 50*time.Millisecond)
	require.NoError(t, syscall.Kill(victim, syscall.SIGKILL))
	require.Error(t, command.Wait())
	assert.Contains(t, output.String(), "device-service ended (signal: killed)")
	assert.Contains(t, output.String(), "logs are in")
	assert.Empty(t, running(t), output)
}

// running are the services that run from the binaries of this test, with their numbers.
func running(t *testing.T) map[string]int {
	t.Helper()
	found := map[string]int{}
	folders, err := filepath.Glob("/proc/[0-9]*")
	require.NoError(t, err)
	for _, folder := range folders {
		program, err := os.Readlink(filepath.Join(folder, "exe"))
		if err != nil || filepath.Dir(program) != binaries || filepath.Base(program) == "offload" {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(folder))
		require.NoError(t, err)
		found[filepath.Base(program)] = pid
	}
	return found
}

// TestMistakesOnTheCommandLine are answered at once, with what is allowed.
func TestMistakesOnTheCommandLine(t *testing.T) {
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"up", "--home", root, "--profile", "dialup"}, "allowed are lan, wifi"},
		{[]string{"up", "--home", root, "--policy", "best"}, "allowed is quantile, cost, linucb, dqn, threshold, local, cloud"},
		{[]string{"up", "--home", root, "--model", "nothing"}, `model "nothing": allowed are`},
		{[]string{"up", "--home", root, "--camera", "rtsp://camera/1"}, "allowed is a folder of JPEG files"},
		{[]string{"up", "--home", root, "--for", "1ms"}, "for 1ms: allowed is 0, or 1s and more"},
		{[]string{"up", "--home", root, "--trace", "command_test.go"}, "line 1, column header"},
		{[]string{"submit", "--address", "nowhere", "main_test.go"}, "allowed are pictures"},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			command, output := offloadCommand(t, c.args...)
			require.Error(t, command.Run())
			assert.Contains(t, output.String(), c.says)
			assert.NotEqual(t, -1, command.ProcessState.ExitCode())
		})
	}
}
