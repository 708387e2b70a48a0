// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"net"
	"time"
)

const (
	// redial is when an attempt to connect that hears nothing is joined by another. TCP itself
	// asks again after 1 s at the earliest, and gRPC pauses between its attempts, so that a
	// link that is back would stay unused for that long.
	redial = 300 * time.Millisecond
	// mostDials bounds the attempts at a time.
	mostDials = 8
)

type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// connect gives the first connection of several attempts, one after the other for as long as
// none is answered; an error is of the first that failed. It waits for all of them.
func connect(ctx context.Context, dial dialFunc, address string) (won net.Conn, err error) {
	type result struct {
		conn net.Conn
		err  error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan result)
	begin := func() {
		go func() {
			conn, err := dial(ctx, "tcp", address)
			results <- result{conn, err}
		}()
	}
	again := time.NewTicker(redial)
	defer again.Stop()
	begin()
	for begun, running := 1, 1; running > 0; {
		select {
		case <-again.C:
			if begun < mostDials && ctx.Err() == nil {
				begin()
				begun, running = begun+1, running+1
			}
		case r := <-results:
			running--
			switch {
			case r.err != nil && err == nil && won == nil:
				err = r.err
			case r.err == nil && won == nil:
				won, err = r.conn, nil
			case r.err == nil:
				_ = r.conn.Close()
			}
			cancel() // one that was answered, even by a refusal, speaks for all
		}
	}
	return won, err
}
