// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgexfoundry/app-functions-sdk-go/v3/pkg"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/clients/logger"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/common"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"edgex-offload/app-service/config"
	"edgex-offload/app-service/functions"
	"edgex-offload/offload"
)

// startLine is a line with nothing to run tasks on, and its end.
func startLine(t *testing.T) (*line, *config.Service) {
	t.Helper()
	section := config.NewService()
	section.Offload.Models.Folder, section.Offload.Cascades.Folder = t.TempDir(), t.TempDir()
	plan, err := section.Offload.Plan()
	require.NoError(t, err)
	b, err := newBox(plan, logger.NewMockClient())
	require.NoError(t, err)
	l, err := newLine(plan, b)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, errors.Join(<-ended, b.close()))
	})
	return l, section
}

// watched is a change as the provider notifies of it.
func watched(t *testing.T, w config.Writable) *config.Watched {
	t.Helper()
	asJSON, err := json.Marshal(w)
	require.NoError(t, err)
	tree := &config.Watched{}
	require.NoError(t, json.Unmarshal(asJSON, tree))
	return tree
}

// A change holds for everything it names, from the next task on.
func TestChangeIsTakenOver(t *testing.T) {
	l, section := startLine(t)
	changed := section.Offload.Writable
	changed.Policy = offload.PolicyLocal
	changed.PublishWithoutResult = true
	changed.Tasks = map[string]config.Task{"level": {Resource: "Level", Kind: "SIGNAL_CLASSIFICATION", Model: "m"}}
	l.take(watched(t, changed), section, logger.NewMockClient())

	require.Equal(t, offload.PolicyLocal, l.view().Policy)
	require.EqualValues(t, 1, l.view().Configuration.Accepted)
	require.Equal(t, changed, section.Offload.Writable, "what /api/v3/config shows")
	event := dtos.NewEvent("p", "d", "Level")
	require.NoError(t, event.AddSimpleReading("Level", common.ValueTypeInt8, int8(1)))
	ctx := pkg.NewAppFuncContextForTest("test", logger.NewMockClient())
	more, jobs := l.decoder.DecodeEvent(ctx, event)
	require.True(t, more)
	_, results := functions.Offload(t.Context(), l.box.runner, l.box.cascades)(ctx, jobs)
	_, _ = l.publisher.PublishOutcome(ctx, results)
	require.Equal(t, map[string]uint64{functions.PublishFailed: 1}, l.publisher.Counts(), "not withheld; there is no bus")
}

// A rule may ask for a cascade that is not there, or is wrong: its pictures end with the reason, the
// status tells, and the change that comes after the file was put right takes it up.
func TestCascadeOfARule(t *testing.T) {
	l, section := startLine(t)
	ctx := pkg.NewAppFuncContextForTest("test", logger.NewMockClient())
	outcome := func() offload.Outcome {
		event := dtos.NewEvent("p", "gate", "Frame")
		event.AddBinaryReading("Frame", []byte("picture"), "image/jpeg")
		more, jobs := l.decoder.DecodeEvent(ctx, event)
		require.True(t, more)
		_, results := functions.Offload(t.Context(), l.box.runner, l.box.cascades)(ctx, jobs)
		return results.([]functions.Result)[0].Outcome
	}
	changed := section.Offload.Writable
	changed.Tasks = map[string]config.Task{"gate": {Resource: "Frame", Cascade: "people", Deadline: "10s"}}
	l.take(watched(t, changed), section, logger.NewMockClient())
	require.EqualValues(t, 1, l.view().Configuration.Accepted, l.view().Configuration.LastRefusal)
	o := outcome()
	require.Equal(t, offload.NoPath, o.Reason)
	require.Contains(t, o.Record.Error, "has a cascade of that name")
	status := l.view().Cascades
	require.Len(t, status, 1)
	require.Equal(t, []string{"Tasks.gate"}, status[0].NeededBy)
	require.False(t, status[0].Usable)

	file := filepath.Join(section.Offload.Cascades.Folder, "people.yaml")
	require.NoError(t, os.WriteFile(file, []byte("stages:\n  - {name: faces, does: detect}\noutput: [faces]\n"), 0o600))
	l.take(watched(t, changed), section, logger.NewMockClient())
	require.Contains(t, l.view().Cascades[0].Problem, file+`: line 2: stages[0].model is "": allowed is the name of a model`)

	require.NoError(t, os.WriteFile(file, []byte("stages:\n  - {name: faces, does: detect, model: faces}\noutput: [faces]\n"), 0o600))
	l.take(watched(t, changed), section, logger.NewMockClient())
	require.True(t, l.view().Cascades[0].Usable)
	o = outcome()
	require.Equal(t, offload.NoPath, o.Reason, "there is no model")
	require.Len(t, o.Record.Stages, 1)
	require.Len(t, l.box.runner.Find(o.Record.TaskID+"/faces", 9), 1, "the task of the stage has its own record")
	require.Len(t, l.box.cascades.Find(o.Record.TaskID, 9), 1)
	require.Equal(t, map[string]uint64{"no_path": 2}, l.view().Cascades[0].None)
}

// One wrong value refuses all that came with it.
func TestChangeIsRefusedAsAWhole(t *testing.T) {
	l, section := startLine(t)
	before := section.Offload
	for name, wrong := range map[string]func(*config.Writable){
		`Offload.Writable.QueueLimit 0`: func(w *config.Writable) { w.QueueLimit = 0 },
		`Offload.Writable.Tasks.x.Kind`: func(w *config.Writable) { w.Tasks = map[string]config.Task{"x": {Resource: "r", Model: "m"}} },
		`Offload.Writable.Tasks.x.Cascade "people": allowed is one of Model and Cascade, and Model is "m"`: func(w *config.Writable) {
			w.Tasks = map[string]config.Task{"x": {Resource: "r", Kind: "OBJECT_DETECTION", Model: "m", Cascade: "people"}}
		},
		`Offload.Writable.Guard "long": allo`: func(w *config.Writable) { w.Guard = "long" },
	} {
		changed := before.Writable
		changed.Policy, changed.PublishWithoutResult = offload.PolicyLocal, true
		wrong(&changed)
		lc := newLines()
		l.take(watched(t, changed), section, lc)
		require.Equal(t, 1, strings.Count(lc.text.String(), "\n"), "logged once: %s", lc.text)
		require.Contains(t, l.view().Configuration.LastRefusal, name)
		require.Equal(t, before.Writable.Policy, l.view().Policy)
		require.Equal(t, before, section.Offload)
	}
	l.take("text", section, logger.NewMockClient())
	require.Contains(t, l.view().Configuration.LastRefusal, "came as string")
	require.EqualValues(t, 5, l.view().Configuration.Refused)
}

func TestBoxNamesATargetThatCannotBe(t *testing.T) {
	o := config.Default()
	o.Models.Folder = t.TempDir()
	o.Targets = map[string]config.Target{"cloud": {Address: "localhost:1", TLS: config.TLS{Enabled: true, CA: "/does/not/exist.pem"}}}
	plan, err := o.Plan()
	require.NoError(t, err)
	_, err = newBox(plan, logger.NewMockClient())
	require.ErrorContains(t, err, "Offload.Targets.cloud")
	require.ErrorContains(t, err, "/does/not/exist.pem")
}

// The shipped trigger must not take in what the service publishes: on MQTT, where # ends
// a filter, nor on Redis, where it becomes a * that spans levels.
func TestOutcomesNeverMatchTheTrigger(t *testing.T) {
	text, err := os.ReadFile("../res/app-service/configuration.yaml")
	require.NoError(t, err)
	var file struct {
		Trigger struct {
			SubscribeTopics string `yaml:"SubscribeTopics"`
		} `yaml:"Trigger"`
	}
	require.NoError(t, yaml.Unmarshal(text, &file))
	require.NotEmpty(t, file.Trigger.SubscribeTopics)
	for filter := range strings.SplitSeq(file.Trigger.SubscribeTopics, ",") {
		branch, ok := strings.CutSuffix(strings.TrimSpace(filter), "/#")
		require.True(t, ok, "%s: a branch is a prefix, whatever the bus", filter)
		require.NotContains(t, branch, "+")
		require.NotContains(t, branch, "#")
		outcomes := "events/device/" + serviceKey + "/"
		require.False(t, strings.HasPrefix(outcomes, branch+"/") || strings.HasPrefix(branch+"/", outcomes), filter)
	}
}

func TestLinesOfSlogReachEdgeX(t *testing.T) {
	lc := newLines()
	log := newLogger(lc).With("target", "cloud")
	log.Debug("a")
	log.Info("b", slog.Int("n", 1))
	log.Warn("c")
	log.WithGroup("g").Error("d", "reason", errors.New("e"))
	require.Equal(t, "DEBUG a target=cloud\nINFO b target=cloud n=1\nWARN c target=cloud\nERROR d target=cloud reason=e\n", lc.text.String())
}

// lines is a logging client that keeps what it is told.
type lines struct {
	logger.LoggingClient
	text *bytes.Buffer
}

func newLines() lines { return lines{logger.NewMockClient(), &bytes.Buffer{}} }

func (l lines) Debug(msg string, _ ...any)        { fmt.Fprintln(l.text, "DEBUG", msg) }
func (l lines) Info(msg string, _ ...any)         { fmt.Fprintln(l.text, "INFO", msg) }
func (l lines) Warn(msg string, _ ...any)         { fmt.Fprintln(l.text, "WARN", msg) }
func (l lines) Error(msg string, _ ...any)        { fmt.Fprintln(l.text, "ERROR", msg) }
func (l lines) Errorf(format string, args ...any) { fmt.Fprintf(l.text, "ERROR "+format+"\n", args...) }
