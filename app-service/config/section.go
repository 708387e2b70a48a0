// SPDX-License-Identifier: Apache-2.0

package config

import (
	"edgex-offload/app-service/supply"
	"edgex-offload/offload"
)

// Section is the custom section's name, WritableSection that of its part that may
// change while the service runs.
const (
	Section         = "Offload"
	WritableSection = "Offload/Writable"
)

// Offload is the section as written. res/app-service/configuration.yaml says what each
// key does; fields here add what the code needs to know.
type Offload struct {
	Models      Models
	Cascades    Cascades
	Targets     map[string]Target // by name; one without Address is off
	Probe       Probe
	Workers     int
	DecisionLog int
	Limits      Limits
	Power       Power
	Learning    Learning
	Writable    Writable

	// Keys of earlier versions, which the tag names the successor of: see replaced.go.
	ProbeInterval string `json:",omitempty" replaced:"Probe.IntervalMin and Probe.IntervalMax"`
	ProbeTimeout  string `json:",omitempty" replaced:"Probe.Timeout"`
	RateInterval  string `json:",omitempty" replaced:"Probe.RateBytesPerMinute"`
}

// Models says where the box's models are.
type Models struct {
	Folder          string
	Library         string
	Threads         int
	Providers       string // separated by commas, as EdgeX writes lists
	FP16, INT8      bool   // for TensorRT
	EngineCache     string // folder for TensorRT
	ProviderOptions map[string]map[string]string
	PublicKey       string
	DrainTimeout    string
	Canary          Canary
	OIP             ModelServer
}

// ModelServer is where the models with backend: oip run.
type ModelServer struct {
	Address        string
	TLS            TLS
	ConnectTimeout string
	CallTimeout    string
	CheckInterval  string
	MessageKB      int
}

// Canary is infer.Canary.
type Canary struct {
	Share            float64
	Tasks            int
	MaxErrorIncrease float64
	LatencyRatio     float64
	Longest          string
}

// Cascades says where the cascades are.
type Cascades struct {
	Folder string
}

// Target is a place that answers tasks over gRPC.
type Target struct {
	Address        string
	TLS            TLS
	CallTimeout    string
	ConnectTimeout string
	ReconnectMax   string
	DeadAfter      string
	Congestion     string
	Metered        bool
	PricePerMB     Number // 1 when left out, so that Weights.Money is that of a megabyte
	PricePerCall   Number
}

// Probe says how links are measured while no task does it.
type Probe struct {
	IntervalMin        string
	IntervalMax        string
	Timeout            string
	RateBytesPerMinute int // 0 is off
}

// TLS names PEM files.
type TLS struct {
	Enabled    bool
	CA         string
	Cert       string
	Key        string
	ServerName string
}

// Limits bound what is taken from the bus.
type Limits struct {
	MessageKB int
	PayloadKB int
	Decoding  int
}

// Power is what the box draws, in watts, and where the kernel tells what it runs on, how warm it
// is and how fast it may run.
type Power struct {
	Busy    float64
	Radio   float64
	Supply  string
	Thermal string
	CPU     string
	Devfreq string
	Hwmon   string
	Mode    string
	Modes   string
	Clock   string // a supply.Of
}

// Learning says what policy dqn asks.
type Learning struct {
	Network string // file; empty is the one that ships
}

// Writable is taken over while the service runs.
type Writable struct {
	Policy               string
	JitterFactor         float64
	Hedge                bool
	Objective            string
	Weights              Weights
	Tuning               Tuning
	Learning             WritableLearning
	Shadows              string // separated by commas, as EdgeX writes lists
	Trial                Trial
	Threshold            Threshold
	QueueLimit           int
	InFlightLimit        int
	RetryTarget          string
	Guard                string
	Grace                string
	PublishWithoutResult bool
	Tasks                map[string]Task // by a name of the rule
}

// Weights are those of offload.Weights.
type Weights struct{ Latency, Accuracy, Energy, Money, Battery float64 }

// Tuning has the keys of offload.Tuning.
type Tuning offload.Tuning

// WritableLearning is offload.Learning.
type WritableLearning struct {
	Alpha, Forgetting, Ridge float64
	Reward                   Reward
}

// Reward has the keys of offload.Reward.
type Reward offload.Reward

func (l WritableLearning) learning() offload.Learning {
	return offload.Learning{Alpha: l.Alpha, Forgetting: l.Forgetting, Ridge: l.Ridge, Reward: offload.Reward(l.Reward)}
}

func learningOf(l offload.Learning) WritableLearning {
	return WritableLearning{Alpha: l.Alpha, Forgetting: l.Forgetting, Ridge: l.Ridge, Reward: Reward(l.Reward)}
}

// Trial is offload.Trial.
type Trial struct {
	Policy string
	Share  float64
}

// Threshold are the limits of offload.Threshold.
type Threshold struct {
	RTT    string
	Jitter string
	Loss   float64
}

// Task says which readings become tasks and what is asked of them.
type Task struct {
	Resource       string
	Device         string
	Profile        string
	Kind           string
	Model          string
	Cascade        string
	Priority       string
	Deadline       string
	ExpectedLocal  string
	ExpectedRemote string
	Private        bool
	FeaturesOnly   bool
}

// Default is what a key that is left out has. It has no tasks and no targets.
func Default() Offload {
	s, p, probing := offload.DefaultSettings(), offload.DefaultPower(), offload.DefaultProbing()
	return Offload{
		Models:   defaultModels(),
		Cascades: Cascades{Folder: "cascades"},
		Probe: Probe{
			IntervalMin: probing.IntervalMin.String(), IntervalMax: probing.IntervalMax.String(),
			Timeout: probing.Timeout.String(), RateBytesPerMinute: probing.RateBytesPerMinute,
		},
		Workers:     1,
		DecisionLog: 1000,
		Limits:      Limits{MessageKB: 8192, PayloadKB: 4096, Decoding: 64},
		Power: Power{
			Busy: p.Busy, Radio: p.Radio, Supply: "/sys/class/power_supply", Thermal: "/sys/class/thermal",
			CPU: "/sys/devices/system/cpu/cpufreq", Devfreq: "/sys/class/devfreq", Hwmon: "/sys/class/hwmon",
			Mode: "/var/lib/nvpmodel/status", Modes: "/etc/nvpmodel.conf", Clock: string(supply.Models),
		},
		Writable: Writable{
			Policy: s.Policy, JitterFactor: s.JitterFactor, Hedge: s.Hedge,
			Objective: offload.ObjectiveBalanced, Weights: Weights(s.Weights), Tuning: Tuning(s.Tuning),
			Learning: learningOf(s.Learning),
			Shadows:  s.Shadows, Trial: Trial(s.Trial),
			Threshold:  Threshold{RTT: s.Threshold.RTT.String(), Jitter: s.Threshold.Jitter.String(), Loss: s.Threshold.Loss},
			QueueLimit: s.QueueLimit, InFlightLimit: s.InFlightLimit,
			RetryTarget: s.RetryTarget.String(), Guard: s.Guard.String(), Grace: s.Grace.String(),
		},
	}
}
