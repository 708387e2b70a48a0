// SPDX-License-Identifier: Apache-2.0

package config

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"edgex-offload/infer"
	"edgex-offload/offload"
)

// good is a section with a target and a task.
func good() Offload {
	o := Default()
	o.Targets = map[string]Target{"cloud": {Address: "localhost:50051", ReconnectMax: "2s", Congestion: "cubic"}, "peer": {}}
	o.Writable.Tasks = map[string]Task{"surface": {
		Resource: "Frame", Kind: "image_classification", Model: "surface", Deadline: "250ms", ExpectedLocal: "5ms", ExpectedRemote: "2ms",
	}}
	return o
}

func TestPlanOfDefaults(t *testing.T) {
	plan, err := Default().Plan()
	require.NoError(t, err)
	settings := offload.DefaultSettings()
	settings.Objective = offload.ObjectiveBalanced // whose weights those are
	require.Equal(t, settings, plan.Live.Engine)
	require.Equal(t, offload.DefaultPower(), plan.Power)
	require.Empty(t, plan.Targets)
	require.Equal(t, offload.DefaultProbing(), plan.Probing)
}

func TestModelsOfThePlan(t *testing.T) {
	o := good()
	o.Models.DrainTimeout, o.Models.Canary.Share = "5s", .2
	plan, err := o.Plan()
	require.NoError(t, err)
	require.Equal(t, 5*time.Second, plan.Models.DrainTimeout)
	require.Equal(t, infer.Canary{Share: .2, Tasks: 200, MaxErrorIncrease: .01, LatencyRatio: 1.5, Longest: 24 * time.Hour}, plan.Models.Canary)
	require.Nil(t, plan.Models.PublicKey)

	o.Models.PublicKey, o.Models.DrainTimeout = "/nowhere.pem", "1ms"
	o.Models.Canary = Canary{Share: math.NaN(), Tasks: 1, MaxErrorIncrease: -1, LatencyRatio: .5, Longest: "1s"}
	_, err = o.Plan()
	for _, want := range []string{
		"Offload.Models.PublicKey: stat /nowhere.pem", `Offload.Models.DrainTimeout "1ms": allowed is a duration from 1s`,
		"Offload.Models.Canary.Share NaN: allowed is 0 (at once) to 0.5", "Offload.Models.Canary.Tasks 1", "Offload.Models.Canary.MaxErrorIncrease -1",
		"Offload.Models.Canary.LatencyRatio 0.5", "Offload.Models.Canary.Longest 1s: allowed is 1m to 720h",
	} {
		require.ErrorContains(t, err, want)
	}
}

func TestPlan(t *testing.T) {
	o := good()
	o.Probe.RateBytesPerMinute, o.Probe.IntervalMax = 0, o.Probe.IntervalMin
	metered := o.Targets["cloud"]
	metered.Metered = true
	o.Targets["cloud"] = metered
	o.Models.Providers = " CUDA, CPU"
	o.Models.OIP.Address, o.Models.OIP.CheckInterval = "127.0.0.1:8001", "500ms"
	o.Writable.Threshold.RTT = "1s"
	plan, err := o.Plan()
	require.NoError(t, err)
	require.Len(t, plan.Targets, 1, "a target without an address is off")
	require.Equal(t, "cloud", plan.Targets[0].Name)
	require.Equal(t, "localhost:50051", plan.Targets[0].Client.Address)
	require.Equal(t, 2*time.Second, plan.Targets[0].Client.ReconnectMax)
	require.Equal(t, "cubic", plan.Targets[0].Client.Congestion)
	require.True(t, plan.Targets[0].Metered)
	require.Equal(t, offload.Probing{IntervalMin: 250 * time.Millisecond, IntervalMax: 250 * time.Millisecond, Timeout: time.Second}, plan.Probing)
	require.NoError(t, plan.Probing.Validate())
	require.Equal(t, []string{"CUDA", "CPU"}, plan.Backend.Providers)
	require.Equal(t, "127.0.0.1:8001", plan.ModelServer.Address)
	require.Equal(t, 500*time.Millisecond, plan.ModelServer.CheckInterval)
	require.Equal(t, time.Second, plan.Live.Engine.Threshold.RTT)
	require.Equal(t, 4<<20, plan.Limits.PayloadBytes)

	rule, ok := plan.Live.Rules.Find("any", "any", "Frame")
	require.True(t, ok)
	require.Equal(t, offload.Medium, rule.Priority, "the default")
	require.Equal(t, []time.Duration{250 * time.Millisecond, 5 * time.Millisecond, 2 * time.Millisecond},
		[]time.Duration{rule.Deadline, rule.ExpectedLocal, rule.ExpectedRemote})
}

// Each wrong value is told with its key, the value and what is allowed, and alone.
func TestPlanNamesWhatIsWrong(t *testing.T) {
	task := func(change func(*Task)) func(*Offload) {
		return func(o *Offload) {
			task := o.Writable.Tasks["surface"]
			change(&task)
			o.Writable.Tasks["surface"] = task
		}
	}
	target := func(change func(*Target)) func(*Offload) {
		return func(o *Offload) {
			target := o.Targets["cloud"]
			change(&target)
			o.Targets["cloud"] = target
		}
	}
	for name, c := range map[string]struct {
		change func(*Offload)
		want   string
	}{
		"threads":         {func(o *Offload) { o.Models.Threads = 65 }, `Offload.Models.Threads 65: allowed is 1 to 64`},
		"provider":        {func(o *Offload) { o.Models.Providers = "GPU" }, `Offload.Models: ort: Providers lists "GPU": allowed are TensorRT, CUDA, CPU`},
		"model server":    {func(o *Offload) { o.Models.OIP.Address = "triton" }, `Offload.Models.OIP.Address "triton": allowed is host:port`},
		"its check":       {func(o *Offload) { o.Models.OIP.Address, o.Models.OIP.CheckInterval = "a:1", "1ms" }, `Offload.Models.OIP.CheckInterval 1ms: allowed is 10ms to 1h0m0s`},
		"its timeout":     {func(o *Offload) { o.Models.OIP.Address, o.Models.OIP.CallTimeout = "a:1", "soon" }, `Offload.Models.OIP.CallTimeout "soon": allowed is a duration`},
		"its size":        {func(o *Offload) { o.Models.OIP.Address, o.Models.OIP.MessageKB = "a:1", 1<<40 }, `Offload.Models.OIP.MessageKB 1099511627776: allowed is 64 to 1048576 KB`},
		"workers":         {func(o *Offload) { o.Workers = 0 }, `Offload.Workers 0: allowed is 1 to 64 local runs at once`},
		"probe interval":  {func(o *Offload) { o.Probe.IntervalMin = "1" }, `Offload.Probe.IntervalMin "1": allowed is a duration from 50ms to 1m0s, as in 500ms`},
		"interval order":  {func(o *Offload) { o.Probe.IntervalMin = "2s" }, `Offload.Probe.IntervalMax "1s": allowed is a duration from 2s to 10m0s`},
		"interval's max":  {func(o *Offload) { o.Probe.IntervalMax = "1h" }, `Offload.Probe.IntervalMax "1h": allowed is a duration from 250ms to 10m0s`},
		"interval's end":  {func(o *Offload) { o.Probe.IntervalMin, o.Probe.IntervalMax = "1h", "1m" }, `Offload.Probe.IntervalMin "1h": allowed is a duration from 50ms to 1m0s`},
		"probe timeout":   {func(o *Offload) { o.Probe.Timeout = "2h" }, `Offload.Probe.Timeout "2h": allowed is a duration from 50ms to 1m0s`},
		"rate bytes":      {func(o *Offload) { o.Probe.RateBytesPerMinute = -1 }, `Offload.Probe.RateBytesPerMinute -1: allowed is 0 to 67108864 bytes`},
		"decision log":    {func(o *Offload) { o.DecisionLog = 0 }, `Offload.DecisionLog 0: allowed is 1 to 100000 records`},
		"message size":    {func(o *Offload) { o.Limits.MessageKB = -1 }, `Offload.Limits.MessageKB -1: allowed is 1 to 1048576 KB`},
		"payload size":    {func(o *Offload) { o.Limits.PayloadKB = 0 }, `Offload.Limits.PayloadKB 0: allowed is 1 to 1048576 KB`},
		"decoding":        {func(o *Offload) { o.Limits.Decoding = 0 }, `Offload.Limits.Decoding 0: allowed is 1 to 10000 messages`},
		"power":           {func(o *Offload) { o.Power.Busy = math.NaN() }, `Offload.Power.Busy NaN: allowed is 0.01 to 10000 watts`},
		"clock":           {func(o *Offload) { o.Power.Clock = "fan" }, `Offload.Power.Clock "fan": allowed is one of [auto gpu cpu none]`},
		"radio":           {func(o *Offload) { o.Power.Radio = -1 }, `Offload.Power.Radio -1: allowed is 0 to 10000 watts`},
		"address":         {target(func(t *Target) { t.Address = "cloud" }), `Offload.Targets.cloud.Address "cloud": allowed is host:port`},
		"call timeout":    {target(func(t *Target) { t.CallTimeout = "soon" }), `Offload.Targets.cloud.CallTimeout "soon": allowed is a duration, as in 500ms`},
		"congestion":      {target(func(t *Target) { t.Congestion = "BBR 2" }), `Offload.Targets.cloud.Congestion "BBR 2": allowed is system, or a kernel's name for one, as in bbr`},
		"tls":             {target(func(t *Target) { t.TLS.CA = "ca.pem" }), `Offload.Targets.cloud.TLS.Enabled false: allowed with CA`},
		"target's name":   {func(o *Offload) { o.Targets["local"] = Target{Address: "a:1"} }, `Offload.Targets.local "local": allowed is a name other than local, none and mixed`},
		"policy":          {func(o *Offload) { o.Writable.Policy = "best" }, `Offload.Writable.Policy "best": allowed is quantile, cost, linucb, dqn, threshold, local, cloud`},
		"objective":       {func(o *Offload) { o.Writable.Objective = "cheap" }, `Offload.Writable.Objective "cheap": allowed is balanced, accuracy, latency, energy, cost, or custom`},
		"tuning":          {func(o *Offload) { o.Writable.Tuning.Preempt = -1 }, `Offload.Writable.Tuning.Preempt -1: allowed is 0 to 100`},
		"learning":        {func(o *Offload) { o.Writable.Learning.Forgetting = 0 }, `Offload.Writable.Learning.Forgetting 0: allowed is 0.9 to 1`},
		"shadows":         {func(o *Offload) { o.Writable.Shadows = "cost,best" }, `Offload.Writable.Shadows "best": allowed are quantile, cost`},
		"trial's policy":  {func(o *Offload) { o.Writable.Trial = Trial{"best", .1} }, `Offload.Writable.Trial.Policy "best": allowed is empty, quantile`},
		"trial's share":   {func(o *Offload) { o.Writable.Trial = Trial{"cost", 2} }, `Offload.Writable.Trial.Share 2: allowed is 0 to 1`},
		"price":           {target(func(t *Target) { t.PricePerMB = "-1" }), `Offload.Targets.cloud.PricePerMB "-1": allowed is a number from 0 to 1e+06`},
		"price of a call": {target(func(t *Target) { t.PricePerCall = "cheap" }), `Offload.Targets.cloud.PricePerCall "cheap": allowed is a number from 0 to 1e+06`},
		"jitter factor":   {func(o *Offload) { o.Writable.JitterFactor = -1 }, `Offload.Writable.JitterFactor -1: allowed is 0 to 100`},
		"threshold":       {func(o *Offload) { o.Writable.Threshold.RTT = "fast" }, `Offload.Writable.Threshold.RTT "fast": allowed is a duration, as in 500ms`},
		"threshold range": {func(o *Offload) { o.Writable.Threshold.Jitter = "2m" }, `Offload.Writable.Threshold.Jitter 2m0s: allowed is more than 0 up to 1m`},
		"guard":           {func(o *Offload) { o.Writable.Guard = "2s" }, `Offload.Writable.Guard 2s: allowed is 0s to 1s`},
		"kind":            {task(func(t *Task) { t.Kind = "IMAGE" }), `Offload.Writable.Tasks.surface.Kind: task type "IMAGE": allowed are IMAGE_CLASSIFICATION`},
		"priority":        {task(func(t *Task) { t.Priority = "URGENT" }), `Offload.Writable.Tasks.surface.Priority: priority "URGENT": allowed are LOW`},
		"model":           {task(func(t *Task) { t.Model = "" }), `Offload.Writable.Tasks.surface.Model "": allowed is the name of a model`},
		"cascade too":     {task(func(t *Task) { t.Cascade = "people" }), `Offload.Writable.Tasks.surface.Cascade "people": allowed is one of Model and Cascade, and Model is "surface"`},
		"cascade's name":  {task(func(t *Task) { t.Model, t.Cascade = "", strings.Repeat("x", 33) }), `Offload.Writable.Tasks.surface.Cascade "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx": allowed is the name of a cascade, 1 to 32 bytes`},
		"resource":        {task(func(t *Task) { t.Resource = "" }), `Offload.Writable.Tasks.surface.Resource "": allowed is the name of a device resource`},
		"outcome":         {task(func(t *Task) { t.Resource = "Label" }), `Offload.Writable.Tasks.surface.Resource "Label": allowed is any resource but those of outcomes`},
		"deadline":        {task(func(t *Task) { t.Deadline = "250" }), `Offload.Writable.Tasks.surface.Deadline "250": allowed is a duration from 0s to 24h0m0s`},
		"expected":        {task(func(t *Task) { t.ExpectedRemote = "-1ms" }), `Offload.Writable.Tasks.surface.ExpectedRemote "-1ms": allowed is a duration`},
	} {
		t.Run(name, func(t *testing.T) {
			o := good()
			c.change(&o)
			_, err := o.Plan()
			require.ErrorContains(t, err, c.want)
			if name != "threads" { // told by the backend too
				require.NotContains(t, err.Error(), "\n", "told once")
			}
		})
	}
}

// A rule with a cascade needs no kind, and Kind that stayed from before is not read.
func TestCascadeInPlaceOfAModel(t *testing.T) {
	for _, kind := range []string{"", "IMAGE_CLASSIFICATION", "PEOPLE"} {
		o := good()
		task := o.Writable.Tasks["surface"]
		task.Model, task.Kind, task.Cascade = "", kind, "people"
		o.Writable.Tasks["surface"] = task
		plan, err := o.Plan()
		require.NoError(t, err)
		rule, ok := plan.Live.Rules.Find("any", "any", "Frame")
		require.True(t, ok)
		require.Equal(t, []string{"people", ""}, []string{rule.Cascade, rule.Model})
		require.Equal(t, map[string][]string{"people": {"Tasks.surface"}}, plan.Live.Rules.Cascades())
		require.Equal(t, "cascades", plan.Cascades)
	}
}

// An objective is a name for weights; weights of the operator's own go before the default one.
func TestObjectiveOrWeights(t *testing.T) {
	for name, c := range map[string]struct {
		objective string
		money     float64
		want      string // the objective that holds, or what is wrong
	}{
		"default":                    {offload.ObjectiveBalanced, 0, offload.ObjectiveBalanced},
		"named":                      {offload.ObjectiveCost, 0, offload.ObjectiveCost},
		"own, from an older version": {offload.ObjectiveBalanced, 3, offload.ObjectiveCustom},
		"own":                        {offload.ObjectiveCustom, 3, offload.ObjectiveCustom},
		"own, none named":            {"", 3, ""},
		"both":                       {offload.ObjectiveCost, 3, `Offload.Writable.Weights {Latency:1 Accuracy:50 Energy:0 Money:3 Battery:0} beside Objective "cost": allowed is`},
	} {
		o := good()
		o.Writable.Objective, o.Writable.Weights.Money = c.objective, c.money
		plan, err := o.Plan()
		if err != nil {
			require.ErrorContains(t, err, c.want, name)
			continue
		}
		require.Equal(t, c.want, plan.Live.Engine.Objective, name)
	}
}

func TestPrices(t *testing.T) {
	o := good()
	var written struct{ Targets map[string]Target }
	require.NoError(t, json.Unmarshal([]byte(`{"Targets": {"a": {}, "b": {"PricePerMB": 0, "PricePerCall": "0.25"}, "c": {"PricePerMB": 2.5, "PricePerCall": null}}}`), &written))
	for name, target := range written.Targets {
		target.Address = name + ":1"
		o.Targets[name] = target
	}
	plan, err := o.Plan()
	require.NoError(t, err)
	prices := map[string][2]float64{}
	for _, target := range plan.Targets {
		prices[target.Name] = [2]float64{target.PricePerMB, target.PricePerCall}
	}
	require.Equal(t, map[string][2]float64{"a": {1, 0}, "b": {0, .25}, "c": {2.5, 0}, "cloud": {1, 0}}, prices)
	require.Error(t, json.Unmarshal([]byte(`{"Targets": {"a": {"PricePerMB": true}}}`), &written))
}

// All that is wrong is told at once, not one at each start.
func TestPlanTellsAll(t *testing.T) {
	o := good()
	o.Workers, o.Probe.Timeout, o.Writable.Policy, o.Writable.QueueLimit = -1, "", "best", 0
	_, err := o.Plan()
	require.Len(t, strings.Split(err.Error(), "\n"), 4, err.Error())
}
