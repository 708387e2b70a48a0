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

// snapshot is a camera that answers each GET with one JPEG.
type snapshot struct {
	web     *web
	limits  Limits
	timeout time.Duration // of one picture, from the request to its last byte
}

// Run implements source.Source. It fails with the first picture that cannot be had; one
// that is had and cannot be used is turned away.
func (c *snapshot) Run(ctx context.Context, feed *source.Feed) error {
	defer c.web.close()
	for {
		if err := feed.Wait(ctx); err != nil {
			return err
		}
		frame, at, err := c.fetch(ctx)
		switch rejection := (*source.Rejection)(nil); {
		case errors.As(err, &rejection):
			feed.Reject(rejection)
		case err != nil:
			return err
		default:
			feed.Emit(source.Sample{Captured: at, Value: frame})
		}
	}
}

func (c *snapshot) fetch(ctx context.Context) ([]byte, time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	response, err := c.web.get(ctx)
	if err != nil {
		return nil, time.Time{}, err
	}
	defer response.Body.Close()
	at := time.Now()
	if response.ContentLength > int64(c.limits.Bytes) {
		return nil, at, c.limits.tooLarge(response.ContentLength)
	}
	frame, err := io.ReadAll(io.LimitReader(response.Body, int64(c.limits.Bytes)+1))
	if err != nil {
		return nil, at, fmt.Errorf("read the picture: %w", err)
	}
	if rejection := c.limits.Check(frame); rejection != nil {
		return nil, at, rejection
	}
	return frame, at, nil
}
