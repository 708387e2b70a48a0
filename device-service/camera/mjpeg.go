// SPDX-License-Identifier: Apache-2.0

package camera

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"edgex-offload/device-service/source"
)

// mjpeg is a camera that pushes frames as multipart/x-mixed-replace over HTTP. Frames
// beyond the set rate are read, because they are in the way, and not taken.
type mjpeg struct {
	web    *web
	limits Limits
}

// Run implements source.Source: one connection, until it ends.
func (c *mjpeg) Run(ctx context.Context, feed *source.Feed) error {
	defer c.web.close()
	response, err := c.web.get(ctx)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	boundary, err := boundaryOf(response.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	stream := newMultipart(response.Body, boundary, c.limits)
	for {
		frame, at, err := stream.next()
		switch rejection := (*source.Rejection)(nil); {
		case errors.As(err, &rejection):
			feed.Reject(rejection)
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, io.EOF):
			return errors.New("the camera ended the stream")
		case err != nil:
			return fmt.Errorf("read the stream: %w", err)
		default:
			c.offer(feed, frame, at)
		}
	}
}

func (c *mjpeg) offer(feed *source.Feed, frame []byte, at time.Time) {
	if !feed.Due() {
		return
	}
	if rejection := c.limits.Check(frame); rejection != nil {
		feed.Reject(rejection)
		return
	}
	feed.Emit(source.Sample{Captured: at, Value: frame})
}
