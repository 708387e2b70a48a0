// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"

	"edgex-offload/offload"
	"edgex-offload/offload/link"
)

// Reply is a remote side's answer to a task.
type Reply struct {
	Answer offload.Answer
	// ProcessedBy is the host that ran it; "" where it does not say.
	ProcessedBy string
	// Execution is the time the model took and Queue the time the task waited there for a
	// place to run. Both are 0 where the remote side does not report them, or reports what
	// cannot be: a negative time, or more than the whole call took.
	Execution, Queue time.Duration
	// Received and Sent are the server's clock when the task had come in and when its answer
	// went out, as it was reported; zero where it was not. That clock need not agree with
	// this one, and may step.
	Received, Sent time.Time
	// Implausible: a time that the server reports cannot be. It is negative, sent before it
	// was received, or more than the whole call took. The answer is worth no less for it, but
	// nothing should be learned from its times.
	Implausible bool
	// RequestBytes and ResponseBytes are what the call took on the wire, gRPC's framing
	// included, without TLS, TCP and IP.
	RequestBytes, ResponseBytes int
	// Socket is what the kernel said of the connection right after the answer.
	Socket link.Socket
}

// ProbeReply is a remote side's answer to a probe. The server's figures are zero where it
// has no Probe: that it said so is a round trip all the same.
type ProbeReply struct {
	// Method is how the round trip was measured: MethodRPC, ping.ICMP or ping.TCP.
	Method string
	// RTT is the whole round trip as it was measured here, the time in the server included.
	RTT time.Duration
	// Received and Sent are the server's clock, which need not agree with this one; their
	// difference is the time the probe spent in the server. Zero where not reported.
	Received, Sent time.Time
	// Implausible: Received and Sent cannot be, as in Reply.
	Implausible bool
	// QueueLength is how many tasks wait or run there now.
	QueueLength int
	// WireBytes is what it took on the wire, both ways, without HTTP/2's headers, TLS, TCP
	// and IP; 0 with ping.TCP.
	WireBytes int
	// Socket is what the kernel said of the connection right after the answer.
	Socket link.Socket
}

// Class says what a failed call means for the task and for the target.
type Class int

const (
	// Unreachable: there is no working connection, or it broke. Try the target again
	// later; the client reconnects by itself.
	Unreachable Class = iota + 1
	// Refused: the remote side answered and will not run this task (no room, too late,
	// not valid, not known there, not allowed). The link works.
	Refused
	// Failed: the remote side ran the task and it failed there. The link works.
	Failed
	// BadAnswer: an answer came that is not one to this task, or is out of bounds.
	BadAnswer
	// Late: the caller's deadline passed, or the caller cancelled, before an answer came.
	Late
	// Invalid: the task cannot be sent at all; nothing was put on the wire.
	Invalid
)

// String is the class in lower case, for a log or a metric's label.
func (c Class) String() string {
	names := [...]string{"unreachable", "refused", "failed", "bad_answer", "late", "invalid"}
	if c < 1 || int(c) > len(names) {
		return fmt.Sprintf("class_%d", int(c))
	}
	return names[c-1]
}

// Error is what Client's calls return when there is no answer.
type Error struct {
	Class Class
	// Code is gRPC's status code, codes.OK where no status came.
	Code codes.Code
	// Reason says it in words, with the remote side's own words where it gave any.
	Reason string
	// cause is what errors.Is and errors.As look into; it may be nil.
	cause error
}

// Error gives the class and the reason.
func (e *Error) Error() string { return e.Class.String() + ": " + e.Reason }

// Unwrap gives the cause: for Late the context's error.
func (e *Error) Unwrap() error { return e.cause }

// ClassOf is the class of err, and Unreachable for an error that is not of this package.
// It is 0 for nil.
func ClassOf(err error) Class {
	if err == nil {
		return 0
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Class
	}
	return Unreachable
}

// IsRefusal tells whether the remote side answered that it will not run the task.
func IsRefusal(err error) bool { return ClassOf(err) == Refused }

// IsLasting tells whether a refusal is of the model or of the caller, so that the next task
// of that model meets it too: nothing there answers such tasks, its model is not loaded, or
// the caller may not ask.
func IsLasting(err error) bool {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Class != Refused {
		return false
	}
	switch e.Code {
	case codes.NotFound, codes.Unimplemented, codes.FailedPrecondition, codes.PermissionDenied, codes.Unauthenticated:
		return true
	default:
		return false
	}
}

// LinkWorks tells whether the remote side was heard from: it answered, refused or failed.
// A deadline that passed says nothing of the link and gives false.
func LinkWorks(err error) bool {
	switch ClassOf(err) {
	case 0, Refused, Failed, BadAnswer:
		return true
	default:
		return false
	}
}
