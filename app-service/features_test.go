// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgexfoundry/app-functions-sdk-go/v3/pkg"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/clients/logger"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"edgex-offload/app-service/config"
	"edgex-offload/app-service/functions"
	"edgex-offload/app-service/routes"
	"edgex-offload/infer/ort"
	"edgex-offload/infer/ort/orttest"
	"edgex-offload/infer/split"
	"edgex-offload/offload"
	"edgex-offload/remote"
	"edgex-offload/runner"
	"edgex-offload/synth/conveyor"
)

// raw begins each picture of these tests, and made what a head makes of one.
var (
	raw  = []byte{0xff, 0xd8, 0xff, 0xe0, 'r', 'a', 'w'}
	made = []byte("made by a head")
)

// wire is a cloud that keeps all that it was sent; it may refuse tails, or fail at anything.
type wire struct {
	mu           sync.Mutex
	sent         []offload.Task
	noTail, sick bool
}

func (w *wire) InferModel(_ context.Context, task offload.Task) (offload.Answer, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	task.Payload = bytes.Clone(task.Payload)
	w.sent = append(w.sent, task)
	if w.sick || (w.noTail && strings.Contains(task.Model, "tail")) {
		return offload.Answer{}, errors.New("out of memory")
	}
	return offload.Answer{Label: "good", Confidence: .75, Model: task.Model}, nil
}

func (w *wire) set(noTail, sick bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.noTail, w.sick = noTail, sick
}

func (w *wire) all() []offload.Task {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent
}

// headed is a box with a head, which fails or hangs as its other models do.
type headed struct{ unsteady }

func (h headed) Infer(ctx context.Context, variant string, task offload.Task) (offload.Answer, error) {
	answer, err := h.unsteady.Infer(ctx, variant, task)
	if strings.Contains(variant, "head") && err == nil {
		answer = offload.Answer{Features: append(bytes.Clone(made), task.Source...), Model: variant}
	}
	return answer, err
}

// Of a source that leaves the box as features alone no other byte reaches a gRPC server, whatever
// decides, whatever goes wrong on the box and there.
func TestFeaturesAreAllThatLeavesTheBox(t *testing.T) {
	cloud := &wire{}
	client, err := remote.NewClient(remote.ClientConfig{Address: startCloudOf(t, cloud)})
	require.NoError(t, err)
	defer client.Close()
	require.Eventually(t, func() bool { _, err := client.Probe(t.Context()); return err == nil }, patience, time.Millisecond)
	rapid.Check(t, func(rt *rapid.T) {
		section := config.Default()
		w := &section.Writable
		w.Policy = rapid.SampledFrom(offload.Policies()).Draw(rt, "policy")
		w.Objective = rapid.SampledFrom(offload.Objectives()).Draw(rt, "objective")
		w.Trial = config.Trial{Policy: rapid.SampledFrom(offload.Policies()).Draw(rt, "trial"), Share: rapid.Float64Range(0, 1).Draw(rt, "share")}
		w.Hedge = rapid.Bool().Draw(rt, "hedge")
		w.Grace = "0s"
		w.Tasks = map[string]config.Task{
			"face": {Resource: "Frame", Kind: "IMAGE_CLASSIFICATION", Model: "m", Deadline: rapid.SampledFrom([]string{"", "5ms", "30ms"}).Draw(rt, "deadline"), FeaturesOnly: true},
			"belt": {Resource: "Frame", Device: "belt", Kind: "IMAGE_CLASSIFICATION", Model: "m", Deadline: "100ms"},
		}
		box := headed{unsteady{fails: rapid.Bool().Draw(rt, "fails")}}
		box.hangs = w.Tasks["face"].Deadline != "" && rapid.Bool().Draw(rt, "hangs")
		cloud.set(rapid.Bool().Draw(rt, "no tail"), rapid.Bool().Draw(rt, "sick"))
		model := offload.Model{Name: "m", Remote: offload.RemoteModel{Accuracy: .99}}
		if rapid.Bool().Draw(rt, "a model on the box") {
			model.Local = []offload.Variant{{Name: "m/1", Accuracy: .5, Service: 10 * time.Millisecond}}
		}
		if rapid.Bool().Draw(rt, "a head on the box") {
			model.Splits = []offload.Split{{Name: "m-head/1", Tail: "m-tail/1", Accuracy: .98, Service: time.Millisecond, FeatureBytes: 50}}
		}
		offloadFrames(rt, section, box, model, client)
	})
	// And once where nothing is in their way.
	section := config.Default()
	section.Writable.Policy = offload.PolicyCloud
	section.Writable.Tasks = map[string]config.Task{
		"face": {Resource: "Frame", Kind: "IMAGE_CLASSIFICATION", Model: "m", FeaturesOnly: true},
		"belt": {Resource: "Frame", Device: "belt", Kind: "IMAGE_CLASSIFICATION", Model: "m"},
	}
	cloud.set(false, false)
	offloadFrames(t, section, headed{}, offload.Model{
		Name: "m", Remote: offload.RemoteModel{Accuracy: .99},
		Splits: []offload.Split{{Name: "m-head/1", Tail: "m-tail/1", Accuracy: .98, Service: time.Millisecond, FeatureBytes: 50}},
	}, client)

	features, belt := 0, 0
	for _, task := range cloud.all() {
		if task.Context["source"] == "belt/Frame" {
			belt++
			continue
		}
		features++
		require.Equal(t, string(made)+task.Context["source"], string(task.Payload))
		require.Equal(t, offload.FeaturesType, task.Context["content-type"])
		require.Equal(t, "m-tail/1", task.Model)
	}
	assert.Positive(t, features)
	assert.Positive(t, belt)
}

// offloadFrames hands a frame of each of some devices to a runner of these settings, and waits
// for their outcomes.
func offloadFrames(t require.TestingT, section config.Offload, box runner.Local, model offload.Model, client *remote.Client) {
	plan, err := section.Plan()
	require.NoError(t, err)
	decoder, err := functions.NewDecoder(plan.Live.Rules, plan.Limits, time.Now)
	require.NoError(t, err)
	run, err := runner.New(runner.Options{
		Settings: plan.Live.Engine, Local: box, Targets: []runner.Target{{Name: "cloud", Remote: client}}, Models: []offload.Model{model},
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run.Run(ctx) }()
	var tasks sync.WaitGroup
	for i, device := range []string{"gate", "door", "belt", "gate"} {
		event := dtos.NewEvent("p", device, "Frame")
		event.AddBinaryReading("Frame", append(bytes.Clone(raw), device...), "image/jpeg")
		more, jobs := decoder.DecodeEvent(pkg.NewAppFuncContextForTest("test", logger.NewMockClient()), event)
		require.True(t, more, i)
		tasks.Go(func() { functions.Offload(ctx, run, nil)(nil, jobs) })
	}
	tasks.Wait()
	for _, r := range run.Decisions(100, 0) {
		require.Equal(t, r.Source != "belt/Frame", r.FeaturesOnly, "what the record shows")
	}
	cancel()
	require.NoError(t, <-ended)
}

// The same from the bus to the wire with a real head: the tail gets less than the picture, and
// nothing of its pixels as they were.
func TestFeaturesOfAFrameOfTheBus(t *testing.T) {
	library := orttest.Library(t)
	models := t.TempDir()
	splitShipped(t, library, models)
	cloud := &wire{}
	s := startSite(t, "", "OFFLOAD_TARGETS_CLOUD_ADDRESS="+startCloudOf(t, cloud), "OFFLOAD_WRITABLE_POLICY=cloud", "OFFLOAD_MODELS_FOLDER="+models,
		"ONNXRUNTIME_LIB="+library, "OFFLOAD_WRITABLE_TASKS_SURFACE_FEATURESONLY=true", "OFFLOAD_WRITABLE_TASKS_SURFACE_DEADLINE=15s")
	s.ready()
	s.until(routes.PathStatus, `"up":true`)
	s.until(routes.PathMetrics, `offload_model_state{serves="surface",state="ready",variant="surface-large-head/1"} 1`)
	event, picture := frame("7", "scratch"), jpegOfAPart(t)
	event.Readings[0].BinaryValue = picture
	s.send(event)
	s.until(routes.PathMetrics, `offload_tasks_total{reason="",route="cloud"} 1`)
	require.Contains(t, s.get(strings.Replace(routes.PathDecision, ":id", event.Readings[0].Id, 1)), `features of surface-large-head/1 instead of the payload`)
	require.NoError(t, s.stop())
	require.Len(t, cloud.all(), 1)
	sent := cloud.all()[0]
	assert.Equal(t, "surface-large-tail/1", sent.Model)
	assert.Equal(t, offload.FeaturesType, sent.Context["content-type"])
	assert.Less(t, len(sent.Payload), len(picture)/2)
	const most = 8
	pixels := picture[bytes.Index(picture, []byte{0xff, 0xda}):] // behind the tables, which are those of every JPEG
	for i := 0; i+most <= len(pixels); i++ {
		require.False(t, bytes.Contains(sent.Payload, pixels[i:i+most]), "bytes %d to %d of the pixels were sent", i, i+most)
	}
}

func jpegOfAPart(t *testing.T) []byte {
	t.Helper()
	picture, _ := conveyor.New(1, 320, 240).Next()
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, picture, nil))
	return b.Bytes()
}

// splitShipped puts the head of a shipped model into a models folder.
func splitShipped(t *testing.T, library, models string) {
	t.Helper()
	if _, err := os.Stat("../models/surface-large"); err != nil {
		t.Skip("the shipped models are not there: ", err)
	}
	backend, err := ort.New(ort.Options{Library: library})
	require.NoError(t, err)
	defer func() { require.NoError(t, backend.Close()) }()
	plan, err := split.Open(t.Context(), split.Options{Dir: "../models", Name: "surface-large", Backend: backend, Now: time.Now})
	require.NoError(t, err)
	defer func() { require.NoError(t, plan.Close()) }()
	const at = "/network/network.4/network.4.2/Relu_output_0" // of docs/splitting.md
	parts, err := plan.Split(t.Context(), split.Noise(plan.Spec()), []string{at}, "surface-large", "1", "uint8")
	require.NoError(t, err)
	require.NoError(t, split.Write(models, parts))
	require.NoError(t, os.RemoveAll(filepath.Join(models, "surface-large-tail")))
}
