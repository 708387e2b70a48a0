// SPDX-License-Identifier: Apache-2.0

package offload

import "time"

// Local is the name of the path that runs on the box itself.
const Local = "local"

// Reason names why a task ended without a result.
type Reason string

// The reasons. A task that has a result has the empty reason.
const (
	// Superseded: a newer task of the same source took its place while it waited.
	Superseded Reason = "superseded"
	// Shed: it could not be in time on any path any more.
	Shed Reason = "shed"
	// QueueFull: the queue was full of tasks that are at least as important.
	QueueFull Reason = "queue_full"
	// NoPath: no model on the box and no target answers this kind of task now.
	NoPath Reason = "no_path"
	// Failed: each path that was tried failed; Record.Error says how.
	Failed Reason = "failed"
	// Expired: the deadline passed while an attempt was under way.
	Expired Reason = "expired"
	// Invalid: the task itself cannot be run; Record.Error names the field.
	Invalid Reason = "invalid"
	// Stopped: the engine was shut down.
	Stopped Reason = "stopped"
)

// Outcome is how a task ended: with an Answer, or with a Reason why there is none.
// Exactly one per task. Its record is the engine's own until Detach.
type Outcome struct {
	// Answer is nil if and only if Reason is set.
	Answer *Answer
	Reason Reason
	// Record is the decision record, complete.
	Record Record
}

// Record tells one task's story: what was known when it was decided, what each path
// promised, which term settled it, and what happened then. Times are milliseconds;
// offsets count from Created.
type Record struct {
	// Seq counts the finished tasks of this engine from 1.
	Seq      uint64 `json:"seq"`
	TaskID   string `json:"taskId"`
	Source   string `json:"source"`
	Kind     string `json:"kind"`
	Model    string `json:"model"`
	Priority string `json:"priority"`
	Bytes    int    `json:"bytes"`
	// Created is the capture time; in JSON RFC 3339 with nanoseconds.
	Created time.Time `json:"created"`
	// DeadlineMs is the time allowed from Created; 0 means none.
	DeadlineMs float64 `json:"deadlineMs"`
	// ArrivedMs is when the engine got it, from Created.
	ArrivedMs float64 `json:"arrivedMs"`
	// Private: it must not leave the box.
	Private bool `json:"private,omitempty"`
	// FeaturesOnly: it must not leave the box as it is.
	FeaturesOnly bool `json:"featuresOnly,omitempty"`

	// Policy is the one that decided; Trial that it is Settings.Trial's.
	Policy string `json:"policy"`
	Trial  bool   `json:"trial,omitempty"`
	// Decided is the path chosen first: Local, a target's name, or "" when none was.
	Decided string `json:"decided"`
	// Settled is what settled it, Why the same in words, with the figures: Detach writes it.
	Settled Settled `json:"settled"`
	Why     string  `json:"why"`
	// QueueMs is the local work ahead of it at the decision.
	QueueMs float64 `json:"queueMs"`
	// EnergyWeight is what a joule was worth, in milliseconds: Weights.Energy and what the
	// battery adds.
	EnergyWeight float64 `json:"energyWeight,omitempty"`
	// Speed is the share of its full speed that the box ran at; 0: all of it.
	Speed float64 `json:"speed,omitempty"`
	// Paths are what each path promised at the decision.
	Paths []PathView `json:"paths"`
	// BackupAtMs is the latest useful start of the local backup, from Created; 0: none kept.
	BackupAtMs float64 `json:"backupAtMs,omitempty"`

	// HeldMs is since when the box's answer was ready and kept back for a better one, from
	// Created; 0: it was not.
	HeldMs float64 `json:"heldMs,omitempty"`
	// Reward is what the outcome was worth to the policy that learned from it (Learning.Reward).
	Reward float64 `json:"reward,omitempty"`
	// Shadows are what other policies would have chosen.
	Shadows []ShadowView `json:"shadows,omitempty"`

	// Attempts are what was started, in order.
	Attempts []AttemptView `json:"attempts"`
	// Stages are those of a cascade, in their order. It has no path and no attempt of its own:
	// each of its tasks has a record, with the id TaskID/stage or TaskID/stage/number.
	Stages []StageView `json:"stages,omitempty"`

	// Route is who answered: Local, a target's name, or "" for none.
	Route       string  `json:"route"`
	Reason      Reason  `json:"reason,omitempty"`
	Error       string  `json:"error,omitempty"`
	LatencyMs   float64 `json:"latencyMs"` // from Created to the end
	DeadlineMet bool    `json:"deadlineMet"`

	Label       string  `json:"label,omitempty"`
	Confidence  float32 `json:"confidence,omitempty"`
	AnsweredBy  string  `json:"answeredBy,omitempty"`  // "name/version" of the model
	ProcessedBy string  `json:"processedBy,omitempty"` // host that ran it
	// Truth is the ground truth of a demonstration source, for scoring alone; Correct
	// is nil where there is none.
	Truth   string `json:"truth,omitempty"`
	Correct *bool  `json:"correct,omitempty"`
}

// PathView is what one path promised when a task was decided.
type PathView struct {
	// Target is Local or a target's name; Variant the model variant on it.
	Target  string `json:"target"`
	Variant string `json:"variant,omitempty"`
	// Usable is false when the path was out of the question. Block says why, Note the same in
	// words: Detach writes it.
	Usable bool   `json:"usable"`
	Block  Block  `json:"block,omitzero"`
	Note   string `json:"note,omitempty"`
	// HeadMs + WaitMs + TransferMs + RTTMs + ServiceMs + MarginMs = ExpectedMs, the time to the
	// answer. HeadMs is until the box has run the head of a split, which Variant names, WaitMs
	// the queue before it, TransferMs payload/rate up and down, MarginMs K times the jitter.
	// HeadToll is what the head takes of the box, in shares of accuracy.
	HeadMs     float64 `json:"headMs,omitempty"`
	HeadToll   float64 `json:"headToll,omitempty"`
	WaitMs     float64 `json:"waitMs"`
	TransferMs float64 `json:"transferMs"`
	// UpMs is the part of TransferMs that the payload takes on the uplink.
	UpMs       float64 `json:"upMs,omitempty"`
	RTTMs      float64 `json:"rttMs"`
	ServiceMs  float64 `json:"serviceMs"`
	MarginMs   float64 `json:"marginMs"`
	ExpectedMs float64 `json:"expectedMs"`
	// Cost is what the policy compared, lower is better; Gain what policy quantile sets against
	// it: the more that is expected of this path than of the box alone, in shares of accuracy.
	Cost     float64 `json:"cost"`
	Gain     float64 `json:"gain,omitempty"`
	Accuracy float64 `json:"accuracy"`
	// What was known of the link then; zero for Local. Measured: it was measured at all. Silent:
	// nothing was heard of the target for long, and nothing was under way there.
	Measured  bool    `json:"measured,omitempty"`
	Silent    bool    `json:"silent,omitempty"`
	JitterMs  float64 `json:"jitterMs,omitempty"`
	UpKbps    float64 `json:"upKbps,omitempty"`
	LossRatio float64 `json:"loss,omitempty"`
	// P95Ms is the predicted time within which 95% of such attempts are done, of a remote path;
	// InTime the probability that this path is done by the deadline.
	P95Ms  float64 `json:"p95Ms,omitempty"`
	InTime float64 `json:"inTime,omitempty"`
	// Joules and Price are what it would take of energy and of money.
	Joules float64 `json:"joules,omitempty"`
	Price  float64 `json:"price,omitempty"`
}

// AttemptView is one attempt at a task and how it ended.
type AttemptView struct {
	Target    string  `json:"target"`
	Variant   string  `json:"variant,omitempty"`
	Why       string  `json:"why"`               // decision, backup, fallback, rescue, head
	Bytes     int     `json:"bytes,omitempty"`   // of the features that went out instead of the payload
	StartedMs float64 `json:"startedMs"`         // from Created
	EndedMs   float64 `json:"endedMs,omitempty"` // 0 while under way
	Result    string  `json:"result"`            // ok, failed, refused, cancelled, preempted; "" while under way
	// InTime is the probability of being in time by which it was handed over; remote ones alone.
	InTime float64 `json:"inTime,omitempty"`
	Error  string  `json:"error,omitempty"`
}

// OfHead tells that it ran the head of a split, whose features are no answer.
func (a *AttemptView) OfHead() bool { return a.Why == headRun }

// ShadowView is what a policy that does not act would have chosen, on the same inputs.
type ShadowView struct {
	Policy  string `json:"policy"`
	Decided string `json:"decided"`
	// InTime is the probability of being in time on that path, ExpectedMs its expected time.
	InTime     float64 `json:"inTime"`
	ExpectedMs float64 `json:"expectedMs"`
}
