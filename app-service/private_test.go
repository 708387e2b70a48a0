// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgexfoundry/app-functions-sdk-go/v3/pkg"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/clients/logger"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"edgex-offload/app-service/config"
	"edgex-offload/app-service/functions"
	"edgex-offload/app-service/routes"
	"edgex-offload/offload"
	"edgex-offload/remote"
	"edgex-offload/runner"
)

// handed is a target that keeps whose payload it was given.
type handed struct {
	mu      sync.Mutex
	sources []string
	fails   bool
}

func (h *handed) Offload(_ context.Context, task offload.Task, sent func()) (remote.Reply, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sources = append(h.sources, task.Source)
	sent()
	if h.fails {
		return remote.Reply{}, &remote.Error{Class: remote.Failed, Reason: "out of memory"}
	}
	return remote.Reply{Answer: offload.Answer{Label: "good"}}, nil
}

func (h *handed) Probe(context.Context) (remote.ProbeReply, error) {
	now := time.Now()
	return remote.ProbeReply{Received: now, Sent: now}, nil
}

// unsteady is a box whose model fails or hangs until it is told to stop.
type unsteady struct{ fails, hangs bool }

func (u unsteady) Infer(ctx context.Context, variant string, _ offload.Task) (offload.Answer, error) {
	if u.hangs {
		<-ctx.Done()
		return offload.Answer{}, ctx.Err()
	}
	if u.fails {
		return offload.Answer{}, errors.New("out of memory")
	}
	return offload.Answer{Label: "good", Model: variant}, nil
}

// No byte of a private source reaches a target, whatever decides, and whatever goes wrong on
// the box: from the event to the Remote, in the configuration's own words.
func TestPrivateSourcesNeverLeaveTheBox(t *testing.T) {
	reached := 0 // of the tasks that are not private
	rapid.Check(t, func(rt *rapid.T) {
		section := config.Default()
		w := &section.Writable
		w.Policy = rapid.SampledFrom(offload.Policies()).Draw(rt, "policy")
		w.Objective = rapid.SampledFrom(offload.Objectives()).Draw(rt, "objective")
		w.Trial = config.Trial{Policy: rapid.SampledFrom(offload.Policies()).Draw(rt, "trial"), Share: rapid.Float64Range(0, 1).Draw(rt, "share")}
		w.Shadows = rapid.SampledFrom([]string{"", "cloud,quantile"}).Draw(rt, "shadows")
		w.Hedge = rapid.Bool().Draw(rt, "hedge")
		w.Grace = "0s"
		w.Tasks = map[string]config.Task{
			"face": {Resource: "Frame", Kind: "IMAGE_CLASSIFICATION", Model: "m", Deadline: rapid.SampledFrom([]string{"", "5ms", "30ms"}).Draw(rt, "deadline"), Private: true},
			"belt": {Resource: "Frame", Device: "belt", Kind: "IMAGE_CLASSIFICATION", Model: "m", Deadline: "1s"},
		}
		plan, err := section.Plan()
		require.NoError(rt, err)
		decoder, err := functions.NewDecoder(plan.Live.Rules, plan.Limits, time.Now)
		require.NoError(rt, err)

		cloud, peer := &handed{}, &handed{fails: true}
		box := unsteady{fails: rapid.Bool().Draw(rt, "fails")}
		box.hangs = w.Tasks["face"].Deadline != "" && rapid.Bool().Draw(rt, "hangs")
		options := runner.Options{
			Settings: plan.Live.Engine, Local: box, Targets: []runner.Target{{Name: "cloud", Remote: cloud}, {Name: "peer", Remote: peer}},
			Models: []offload.Model{{Name: "m", Remote: offload.RemoteModel{Accuracy: .99}}},
		}
		if rapid.Bool().Draw(rt, "a model on the box") {
			options.Models[0].Local = []offload.Variant{{Name: "m/1", Accuracy: .5, Service: 10 * time.Millisecond}}
		}
		run, err := runner.New(options)
		require.NoError(rt, err)
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- run.Run(ctx) }()

		var tasks sync.WaitGroup
		for i, device := range []string{"gate", "gate", "door", "belt", "gate"} {
			event := dtos.NewEvent("p", device, "Frame")
			event.AddBinaryReading("Frame", []byte{0xff, 0xd8, 0xff, 0xd9}, "image/jpeg")
			more, jobs := decoder.DecodeEvent(pkg.NewAppFuncContextForTest("test", logger.NewMockClient()), event)
			require.True(rt, more, i)
			if device == "belt" {
				jobs.([]functions.Job)[0].Task.Deadline = time.Now().Add(time.Second)
			}
			tasks.Go(func() { functions.Offload(ctx, run, nil)(nil, jobs) })
		}
		tasks.Wait()
		for _, r := range run.Decisions(100, 0) {
			require.Equal(rt, r.Source != "belt/Frame", r.Private, "what the record shows")
		}
		cancel()
		require.NoError(rt, <-ended)
		for _, target := range []*handed{cloud, peer} {
			for _, source := range target.sources {
				require.Equal(rt, "belt/Frame", source)
				reached++
			}
		}
	})
	require.Positive(t, reached)
}

// The same over the bus and the wire: policy cloud, a target that is up, and no model on the box.
func TestPrivateFrameOfTheBus(t *testing.T) {
	cloud := startCloud(t, "scratch")
	s := startSite(t, "", "OFFLOAD_TARGETS_CLOUD_ADDRESS="+cloud, "OFFLOAD_WRITABLE_POLICY=cloud",
		"OFFLOAD_WRITABLE_TASKS_SURFACE_PRIVATE=true", "OFFLOAD_WRITABLE_TASKS_SURFACE_DEADLINE=15s")
	s.ready()
	s.until(routes.PathStatus, `"up":true`)
	event := frame("7", "scratch")
	s.send(event)
	s.until(routes.PathMetrics, `offload_tasks_total{reason="no_path",route="none"} 1`)
	told := s.get(strings.Replace(routes.PathDecision, ":id", event.Readings[0].Id, 1))
	require.Contains(t, told, `private, so that it must not leave the box`)
	require.Contains(t, told, `"what":"private"`)
	require.NoError(t, s.stop())
}
