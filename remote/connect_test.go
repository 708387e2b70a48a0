// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// attempt is one to connect: it is answered after a while, or never.
type attempt struct {
	after  time.Duration // 0: never
	err    error
	closed bool
	net.Conn
}

func (a *attempt) Close() error { a.closed = true; return nil }

func TestConnect(t *testing.T) {
	refused := errors.New("refused")
	for name, c := range map[string]struct {
		attempts []*attempt // those beyond are never answered
		won      int        // -1: none
		took     time.Duration
		begun    int
		err      error
	}{
		"at once":                 {[]*attempt{{after: time.Millisecond}}, 0, time.Millisecond, 1, nil},
		"refused":                 {[]*attempt{{after: time.Millisecond, err: refused}}, -1, time.Millisecond, 1, refused},
		"the third":               {[]*attempt{{}, {}, {after: time.Millisecond}}, 2, 2*redial + time.Millisecond, 3, nil},
		"slow":                    {[]*attempt{{after: redial + time.Millisecond}, {after: time.Minute}}, 0, redial + time.Millisecond, 2, nil},
		"refused after the first": {[]*attempt{{}, {after: time.Millisecond, err: refused}}, -1, redial + time.Millisecond, 2, refused},
		"never":                   {nil, -1, 10 * time.Second, mostDials, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var begun atomic.Int64
				dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
					a := &attempt{}
					if n := int(begun.Add(1)); n <= len(c.attempts) {
						a = c.attempts[n-1]
					}
					if a.after == 0 {
						<-ctx.Done()
						return nil, ctx.Err()
					}
					select {
					case <-ctx.Done():
						return nil, ctx.Err()
					case <-time.After(a.after):
						return a, a.err
					}
				}
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				start := time.Now()
				conn, err := connect(ctx, dial, "a:1")
				assert.Equal(t, c.took, time.Since(start))
				assert.EqualValues(t, c.begun, begun.Load())
				require.ErrorIs(t, err, c.err)
				if c.won < 0 {
					assert.Nil(t, conn)
				} else {
					assert.Same(t, c.attempts[c.won], conn)
					assert.False(t, c.attempts[c.won].closed)
				}
			})
		})
	}
}

// Of two connections that come at the same time one is left.
func TestConnectClosesWhatIsTooMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := make(chan *attempt, mostDials)
		start := time.Now()
		dial := func(context.Context, string, string) (net.Conn, error) {
			time.Sleep(redial + time.Millisecond - time.Since(start)) // and does not hear of ctx
			a := &attempt{}
			made <- a
			return a, nil
		}
		conn, err := connect(t.Context(), dial, "a:1")
		require.NoError(t, err)
		require.Len(t, made, 2)
		for range 2 {
			a := <-made
			assert.Equal(t, a != conn, a.closed)
		}
	})
}
