// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"edgex-offload/app-service/functions"
	"edgex-offload/app-service/supply"
	"edgex-offload/endpoint"
	"edgex-offload/infer"
	"edgex-offload/infer/oip"
	"edgex-offload/infer/ort"
	"edgex-offload/offload"
	"edgex-offload/remote"
)

// Plan is a section that was found right, in the units of the code.
type Plan struct {
	Models      infer.Options // but for what it runs on
	Cascades    string        // folder
	Backend     ort.Options   // runs the box's models
	ModelServer oip.Options   // runs those with backend: oip; without Address there is none
	Targets     []NamedTarget // in order of name
	Probing     offload.Probing
	Workers     int
	DecisionLog int
	Limits      functions.Limits
	Power       offload.Power
	Supply      supply.Reader
	Clock       supply.Of // whose clock is the box's speed
	Network     string    // file of what policy dqn asks; "" is the one that ships
	Live        Live
}

// NamedTarget is a target that is on.
type NamedTarget struct {
	Name   string
	Client remote.ClientConfig
	// Metered: its link is paid by the byte.
	Metered bool
	// PricePerMB and PricePerCall are what sending costs, in the operator's currency.
	PricePerMB, PricePerCall float64
}

// Live is the part of a Plan that may change while the service runs.
type Live struct {
	Engine               offload.Settings
	Rules                functions.Rules
	PublishWithoutResult bool
}

// Plan checks the section as a whole. The error has one line for each wrong key.
func (o Offload) Plan() (Plan, error) {
	c := checker{path: Section}
	plan := Plan{
		Models:      c.models(o),
		Cascades:    o.Cascades.Folder,
		Backend:     c.backend(o.Models),
		ModelServer: c.modelServer(o.Models.OIP),
		Probing:     c.probing(o.Probe),
		Workers:     o.Workers,
		DecisionLog: o.DecisionLog,
		Limits: functions.Limits{
			MessageBytes: o.Limits.MessageKB << 10, PayloadBytes: o.Limits.PayloadKB << 10, Decoding: o.Limits.Decoding,
		},
		Power: offload.Power{Busy: o.Power.Busy, Radio: o.Power.Radio},
		Supply: supply.Reader{
			Power: o.Power.Supply, Thermal: o.Power.Thermal, CPU: o.Power.CPU, Devfreq: o.Power.Devfreq,
			Hwmon: o.Power.Hwmon, Mode: o.Power.Mode, Modes: o.Power.Modes,
		},
		Clock:   c.clock(o.Power.Clock),
		Network: o.Learning.Network,
	}
	check(&c, "Workers", o.Workers, 1, 64, "local runs at once")
	check(&c, "DecisionLog", o.DecisionLog, 1, 100_000, "records")
	check(&c, "Limits.MessageKB", o.Limits.MessageKB, 1, 1<<20, "KB")
	check(&c, "Limits.PayloadKB", o.Limits.PayloadKB, 1, 1<<20, "KB")
	check(&c, "Limits.Decoding", o.Limits.Decoding, 1, 10_000, "messages")
	check(&c, "Power.Busy", o.Power.Busy, .01, 10_000, "watts")
	check(&c, "Power.Radio", o.Power.Radio, 0, 10_000, "watts")
	for _, name := range slices.Sorted(maps.Keys(o.Targets)) {
		if target := o.Targets[name]; target.Address != "" {
			plan.Targets = append(plan.Targets, c.target(name, target))
		}
	}
	var err error
	plan.Live, err = o.Writable.Live()
	c.add(err)
	return plan, c.err()
}

func (c *checker) clock(name string) supply.Of {
	of := supply.Of(name)
	if allowed := []supply.Of{supply.Models, supply.Graphics, supply.Processor, supply.None}; !slices.Contains(allowed, of) {
		c.wrong("Power.Clock", fmt.Sprintf("%q", name), fmt.Sprintf("one of %v", allowed))
	}
	return of
}

func (c *checker) probing(p Probe) offload.Probing {
	const shortest, longest = 50 * time.Millisecond, time.Minute
	probing := offload.Probing{
		IntervalMin:        c.duration("Probe.IntervalMin", p.IntervalMin, shortest, longest),
		Timeout:            c.duration("Probe.Timeout", p.Timeout, shortest, longest),
		RateBytesPerMinute: p.RateBytesPerMinute,
	}
	least := min(max(probing.IntervalMin, shortest), longest) // one that is wrong was told
	probing.IntervalMax = c.duration("Probe.IntervalMax", p.IntervalMax, least, 10*time.Minute)
	check(c, "Probe.RateBytesPerMinute", p.RateBytesPerMinute, 0, 64<<20, "bytes")
	return probing
}

func (c *checker) backend(m Models) ort.Options {
	options := ort.Options{
		Library: m.Library, Threads: m.Threads, ProviderOptions: m.ProviderOptions,
		FP16: m.FP16, INT8: m.INT8, EngineCache: m.EngineCache,
	}
	for name := range strings.SplitSeq(m.Providers, ",") {
		if name = strings.TrimSpace(name); name != "" {
			options.Providers = append(options.Providers, name)
		}
	}
	_, err := ort.New(options) // checks, and loads nothing yet
	c.at("Models", err)
	check(c, "Models.Threads", m.Threads, 1, 64, "threads")
	return options
}

// modelServer is checked where it has an Address.
func (c *checker) modelServer(m ModelServer) oip.Options {
	if m.Address == "" {
		return oip.Options{}
	}
	sub := checker{path: c.path + ".Models.OIP"}
	options := oip.Options{
		Address: m.Address, TLS: endpoint.TLS(m.TLS),
		ConnectTimeout: sub.optional("ConnectTimeout", m.ConnectTimeout, 0),
		CallTimeout:    sub.optional("CallTimeout", m.CallTimeout, 0),
		CheckInterval:  sub.optional("CheckInterval", m.CheckInterval, 0),
		MessageBytes:   min(m.MessageKB, 1<<20) << 10,
		Describe:       ort.PortsOf,
	}
	check(&sub, "MessageKB", m.MessageKB, 64, 1<<20, "KB")
	options.MessageBytes = max(options.MessageBytes, 64<<10) // what is wrong was told
	sub.under(options.Validate())
	c.add(sub.err())
	return options
}

func (c *checker) target(name string, t Target) NamedTarget {
	sub := checker{path: c.path + ".Targets." + name}
	if name == offload.Local || name == functions.RouteNone || name == offload.Mixed {
		sub.wrong("", fmt.Sprintf("%q", name), fmt.Sprintf("a name other than %s, %s and %s", offload.Local, functions.RouteNone, offload.Mixed))
	}
	client := remote.ClientConfig{
		Address:        t.Address,
		TLS:            endpoint.TLS(t.TLS),
		CallTimeout:    sub.optional("CallTimeout", t.CallTimeout, 0),
		ConnectTimeout: sub.optional("ConnectTimeout", t.ConnectTimeout, 0),
		ReconnectMax:   sub.optional("ReconnectMax", t.ReconnectMax, 0),
		DeadAfter:      sub.optional("DeadAfter", t.DeadAfter, 0),
		Congestion:     t.Congestion,
	}
	sub.under(client.Validate())
	named := NamedTarget{
		Name: name, Client: client, Metered: t.Metered,
		PricePerMB:   sub.number("PricePerMB", t.PricePerMB, 1, 0, highestPrice),
		PricePerCall: sub.number("PricePerCall", t.PricePerCall, 0, 0, highestPrice),
	}
	c.add(sub.err())
	return named
}

// highestPrice is beyond what any network charges, in any currency.
const highestPrice = 1e6

// Live checks the part that may change while the service runs, as a whole.
func (w Writable) Live() (Live, error) {
	c, defaults := checker{path: Section + ".Writable"}, offload.DefaultSettings()
	live := Live{
		Engine: offload.Settings{
			Policy: w.Policy, JitterFactor: w.JitterFactor, Hedge: w.Hedge,
			Objective: w.objective(), Weights: offload.Weights(w.Weights),
			Tuning: offload.Tuning(w.Tuning), Learning: w.Learning.learning(), Shadows: w.Shadows, Trial: offload.Trial(w.Trial),
			Threshold: offload.Threshold{
				RTT:    c.optional("Threshold.RTT", w.Threshold.RTT, defaults.Threshold.RTT),
				Jitter: c.optional("Threshold.Jitter", w.Threshold.Jitter, defaults.Threshold.Jitter),
				Loss:   w.Threshold.Loss,
			},
			QueueLimit: w.QueueLimit, InFlightLimit: w.InFlightLimit,
			RetryTarget: c.optional("RetryTarget", w.RetryTarget, defaults.RetryTarget),
			Guard:       c.optional("Guard", w.Guard, defaults.Guard),
			Grace:       c.optional("Grace", w.Grace, defaults.Grace),
		},
		PublishWithoutResult: w.PublishWithoutResult,
	}
	c.under(live.Engine.Validate())
	live.Rules = c.rules(w.Tasks)
	return live, c.err()
}

// objective is the one that holds. Weights that were changed beside the default objective are
// the operator's own: a site from before there were objectives keeps what it set.
func (w Writable) objective() string {
	if w.Objective == offload.ObjectiveBalanced && offload.Weights(w.Weights) != offload.DefaultSettings().Weights {
		return offload.ObjectiveCustom
	}
	return w.Objective
}

// The longest deadline and execution time that make sense for a reading.
const longest = 24 * time.Hour

func (c *checker) rules(tasks map[string]Task) functions.Rules {
	var all []functions.Rule
	for _, name := range slices.Sorted(maps.Keys(tasks)) {
		task, sub := tasks[name], checker{path: c.path + ".Tasks." + name}
		kind := sub.work(task)
		priority := offload.Medium
		if task.Priority != "" {
			var err error
			priority, err = offload.ParsePriority(task.Priority)
			sub.at("Priority", err)
		}
		all = append(all, functions.Rule{
			Name:     "Tasks." + name,
			Resource: task.Resource, Device: task.Device, Profile: task.Profile,
			Kind: kind, Model: task.Model, Cascade: task.Cascade, Priority: priority,
			Deadline:       sub.upTo("Deadline", task.Deadline, longest),
			ExpectedLocal:  sub.upTo("ExpectedLocal", task.ExpectedLocal, longest),
			ExpectedRemote: sub.upTo("ExpectedRemote", task.ExpectedRemote, longest),
			Private:        task.Private,
			FeaturesOnly:   task.FeaturesOnly,
		})
		c.add(sub.err())
	}
	rules, err := functions.NewRules(all...)
	c.under(err)
	return rules
}

// work checks what is asked of a rule's readings: a cascade, or a kind of task with a model.
func (c *checker) work(task Task) offload.Kind {
	switch {
	case task.Cascade == "":
		kind, err := offload.ParseKind(task.Kind)
		c.at("Kind", err)
		if task.Model == "" {
			c.wrong("Model", `""`, "the name of a model, as in models/<name> or in a model.yaml's serves; or a Cascade")
		}
		return kind
	case task.Model != "":
		c.wrong("Cascade", fmt.Sprintf("%q", task.Cascade), fmt.Sprintf("one of Model and Cascade, and Model is %q", task.Model))
	case len(task.Cascade) > 32:
		c.wrong("Cascade", fmt.Sprintf("%.40q", task.Cascade), "the name of a cascade, 1 to 32 bytes")
	}
	return 0 // its stages say
}
