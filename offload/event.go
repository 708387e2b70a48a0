// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"time"

	"edgex-offload/offload/link"
)

// EventKind says what happened.
type EventKind uint8

// The events, and which fields of Event each reads beside Kind and At.
const (
	// TaskArrived: Ref (chosen by the driver, unique among the tasks under way), Task.
	TaskArrived EventKind = iota + 1
	// TaskAbandoned: Ref. Nobody waits for the outcome any more.
	TaskAbandoned
	// LocalDone: Attempt, Answer or Error, Execution.
	LocalDone
	// PayloadSent: Attempt. The payload was handed to the transport.
	PayloadSent
	// RemoteDone: Attempt, Answer, Execution, Queue, Bytes (of the answer), ProcessedBy, Held,
	// Socket, Implausible.
	RemoteDone
	// RemoteRefused: Attempt, Error, Lasting. The target answered that it will not run it.
	RemoteRefused
	// RemoteFailed: Attempt, Error. No answer: no connection, or it broke.
	RemoteFailed
	// ProbeDone: Target, Probe, RTT (its whole time), Held, Socket.
	ProbeDone
	// TrainDone: Target, Probe, Bytes and Spread of the train up, BytesDown and SpreadDown,
	// Implausible.
	TrainDone
	// ProbeLost: Target, Probe, Error. It was given up.
	ProbeLost
	// ProbeFailed: Target, Probe, Error. It never left: there is no connection.
	ProbeFailed
	// TimerRang: nothing else. The time asked for by a Ring action has come.
	TimerRang
	// BoxChanged: Battery, Charging, Speed.
	BoxChanged
	// SettingsChanged: Settings, validated.
	SettingsChanged
	// NetworkChanged: Network; nil takes it away.
	NetworkChanged
	// ModelsChanged: Models.
	ModelsChanged
	// Stop: nothing else. Every task under way is finished, later ones at once.
	Stop
)

// Event is one thing that happened. It is a flat struct so that handing one over
// costs no allocation and a log of events is a list of one type.
type Event struct {
	Kind EventKind
	// At is engine time: what passed since Config.Epoch. Never earlier than the last event's.
	At time.Duration

	Ref     uint64
	Task    *Task
	Attempt uint64
	Target  int

	Answer           *Answer
	Error            string
	Execution, Queue time.Duration
	Bytes, BytesDown int
	ProcessedBy      string

	// Probe is the Action's.
	Probe              uint64
	RTT                time.Duration
	Spread, SpreadDown time.Duration
	// The link carries at least what the train shows: something else spread it.
	AtLeast, AtLeastDown bool
	// Held are the target's clock readings of the message, Socket what the kernel says.
	Held   link.Stamps
	Socket link.Socket
	// Implausible: the target reported times that cannot be, and they were left out.
	Implausible bool
	// Lasting: the target would refuse the next task of the same model too.
	Lasting bool

	// Battery is its charge, 0 to 1; Charging that it is not being drained.
	Battery  float64
	Charging bool
	// Speed is the share of its full clock that the box may run at, 0 to 1; 0 is not known and
	// counts as 1.
	Speed float64

	Settings *Settings
	Network  Network
	Models   []Model
}

// ActionKind says what to do.
type ActionKind uint8

// The actions, and which fields of Action each sets.
const (
	// StartLocal: Ref, Attempt, Task, Variant, Until.
	StartLocal ActionKind = iota + 1
	// SendRemote: Ref, Attempt, Task, Target, Until, Promised.
	SendRemote
	// CancelAttempt: Attempt. An event for it may still come and is then ignored,
	// except that a local worker is busy until its LocalDone, which should come as soon as the
	// run can be ended: with ONNX Runtime at the next operator of the model.
	CancelAttempt
	// FinishTask: Ref, Outcome.
	FinishTask
	// Ring: At. Replaces the time of an earlier Ring.
	Ring
	// SendProbe: Target, Probe, Until; with Bytes and BytesDown a packet train of so many bytes each
	// way. One of ProbeDone, TrainDone, ProbeLost and ProbeFailed answers it.
	SendProbe
)

// Action is one thing that the driver has to do.
type Action struct {
	Kind    ActionKind
	Ref     uint64
	Attempt uint64
	Task    *Task
	Variant string
	Target  int
	// Until is the wall clock time at which the attempt is worth nothing any more.
	Until   time.Time
	Outcome Outcome
	At      time.Duration
	// Promised is the probability of being in time that the attempt was decided by; 1 without
	// a deadline.
	Promised float64

	Probe            uint64
	Bytes, BytesDown int
}
