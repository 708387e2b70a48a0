// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// failure says what a call that ended without a response means. gRPC gives a status code
// for what the remote side said and for what went wrong on this side alike; what was heard
// in the meantime tells them apart.
func (c *Client) failure(ctx context.Context, call *call, err error) *Error {
	st := status.Convert(err)
	e := &Error{Code: st.Code(), Reason: c.config.Address + ": " + printable(st.Message(), maxMessageBytes)}
	ended, code := call.ended.Load(), st.Code()
	switch {
	case call.began.Load() && strings.HasPrefix(st.Message(), "grpc: "):
		// This side's gRPC could not take the message: its size, its bytes. The remote side's own
		// status, which says that all is well, may have come meanwhile or not.
		e.Class = BadAnswer
	case ended && isRefusal(code):
		e.Class = Refused
	case ctx.Err() != nil:
		e.Class, e.cause = Late, ctx.Err()
		e.Reason = fmt.Sprintf("%s: no answer yet: %v", c.config.Address, ctx.Err())
	case ended && (code == codes.Internal || code == codes.Unknown || code == codes.DataLoss):
		e.Class = Failed
	case code == codes.DeadlineExceeded:
		e.Class, e.cause = Late, context.DeadlineExceeded // gRPC's timer rang before ctx's
	case code == codes.Canceled:
		e.Class, e.cause = Unreachable, context.Canceled // the client was closed
	default:
		e.Class = Unreachable
	}
	return e
}

// isRefusal tells the status codes with which a server says that it will not run the task.
func isRefusal(code codes.Code) bool {
	switch code {
	case codes.InvalidArgument, codes.NotFound, codes.AlreadyExists, codes.PermissionDenied,
		codes.Unauthenticated, codes.ResourceExhausted, codes.FailedPrecondition, codes.Aborted,
		codes.OutOfRange, codes.Unimplemented, codes.DeadlineExceeded:
		return true
	default:
		return false
	}
}
