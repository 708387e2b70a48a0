// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"fmt"
	"unicode/utf8"

	"edgex-offload/remote/proto"
)

// What a request may hold. Both sides check it: the client, so that nothing is sent which
// is refused anyway; the server, because it does not know who sends.
const (
	// MaxIDBytes bounds a task's id.
	MaxIDBytes = 128
	// MaxContextEntries, MaxContextKeyBytes and MaxContextValueBytes bound a task's context.
	MaxContextEntries    = 32
	MaxContextKeyBytes   = 64
	MaxContextValueBytes = 1024
	// MaxProbePadding bounds the padding of an answer to a probe.
	MaxProbePadding = MaxTrain
	// messageOverhead is what a request may take beside its payload.
	messageOverhead = MaxIDBytes + MaxContextEntries*(MaxContextKeyBytes+MaxContextValueBytes+16) + 64
)

// MaxPayload is the largest payload that fits into a message of limit bytes together with
// the largest context.
func MaxPayload(limit int) int { return max(0, limit-messageOverhead) }

// checkRequest names the field that is wrong, its value and what is allowed. limit is the
// size of a message in bytes.
func checkRequest(r *proto.TaskRequest, limit int) error {
	switch {
	case r.GetId() == "":
		return fmt.Errorf("id \"\": allowed is 1 to %d bytes", MaxIDBytes)
	case len(r.GetId()) > MaxIDBytes:
		return fmt.Errorf("id of %d bytes (%s): allowed is 1 to %d", len(r.GetId()), quote(r.GetId()), MaxIDBytes)
	case !utf8.ValidString(r.GetId()):
		return fmt.Errorf("id %s: allowed is UTF-8", quote(r.GetId()))
	case len(r.GetPayload()) == 0:
		return fmt.Errorf("payload of 0 bytes: allowed is 1 to %d", MaxPayload(limit))
	case len(r.GetPayload()) > MaxPayload(limit):
		return fmt.Errorf("payload of %d bytes: allowed is 1 to %d", len(r.GetPayload()), MaxPayload(limit))
	case r.GetDeadlineUnixNano() < 0:
		return fmt.Errorf("deadline_unix_nano %d: allowed is 0 (none) or nanoseconds since 1970", r.GetDeadlineUnixNano())
	}
	if proto.TaskType_name[int32(r.GetType())] == "" {
		return fmt.Errorf("type %d: allowed are %s", r.GetType(), names(proto.TaskType_name))
	}
	if proto.Priority_name[int32(r.GetPriority())] == "" {
		return fmt.Errorf("priority %d: allowed are %s", r.GetPriority(), names(proto.Priority_name))
	}
	return checkContext(r.GetContext())
}

func checkContext(context map[string]string) error {
	if len(context) > MaxContextEntries {
		return fmt.Errorf("context of %d entries: allowed is up to %d", len(context), MaxContextEntries)
	}
	for key, value := range context {
		if key == "" || len(key) > MaxContextKeyBytes {
			return fmt.Errorf("context key of %d bytes (%s): allowed is 1 to %d", len(key), quote(key), MaxContextKeyBytes)
		}
		if len(value) > MaxContextValueBytes {
			return fmt.Errorf("context[%s] of %d bytes (%s): allowed is up to %d", quote(key), len(value), quote(value), MaxContextValueBytes)
		}
		if !utf8.ValidString(key) || !utf8.ValidString(value) {
			return fmt.Errorf("context[%s] %s: allowed is UTF-8", quote(key), quote(value))
		}
	}
	return nil
}

// names lists an enumeration as "NAME (0), NAME (1)".
func names(byNumber map[int32]string) string {
	list := ""
	for i := range int32(len(byNumber)) {
		if i > 0 {
			list += ", "
		}
		list += fmt.Sprintf("%s (%d)", byNumber[i], i)
	}
	return list
}

// quote shows a text from outside, cut to what a line of a log can bear.
func quote(text string) string {
	const most = 40
	if len(text) <= most {
		return fmt.Sprintf("%q", text)
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return fmt.Sprintf("%q…", text[:cut])
}
