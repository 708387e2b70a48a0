// SPDX-License-Identifier: Apache-2.0

package camera

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/jpeg"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"edgex-offload/device-service/source"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

// photo is a JPEG of noise, which fills entropy-coded data with stuffed bytes.
func photo(t testing.TB, width, height int) []byte {
	t.Helper()
	picture := image.NewGray(image.Rect(0, 0, width, height))
	state := uint32(width*31 + height)
	for i := range picture.Pix {
		state = state*1664525 + 1013904223
		picture.Pix[i] = uint8(state >> 24)
	}
	picture.Set(0, 0, color.White)
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, picture, &jpeg.Options{Quality: 95}))
	return b.Bytes()
}

var limits = Limits{Bytes: 100_000, Pixels: 1_000_000}

// viewer runs a camera under a supervisor and keeps what it gave.
type viewer struct {
	*source.Supervisor
	t      *testing.T
	frames chan source.Sample
	states chan source.Status
	mu     sync.Mutex
	lines  []string
}

func (v *viewer) Infof(string, ...any) {}
func (v *viewer) Warnf(format string, _ ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.lines = append(v.lines, format)
}

// watch runs the camera that properties describe until the test ends.
func watch(t *testing.T, properties map[string]any) *viewer {
	t.Helper()
	spec, err := New(properties, Environment{Limits: limits, Secret: func(string) (string, string, error) { return "root", "pass", nil }})
	require.NoError(t, err)
	v := &viewer{t: t, frames: make(chan source.Sample, 1000), states: make(chan source.Status, 1000)}
	v.Supervisor = source.New("cam", spec.Source, source.Options{
		Rate: spec.Rate, FreeRate: spec.FreeRate, Enabled: spec.Enabled, Silence: spec.Silence,
		FailuresToDown: 2, RetryMin: time.Millisecond, RetryMax: 5 * time.Millisecond, Rand: func() float64 { return 0.5 },
		Deliver: func(s source.Sample) {
			select {
			case v.frames <- s:
			default:
			}
		},
		Changed: func(s source.Status) {
			select {
			case v.states <- s:
			default:
			}
		},
		Log: v,
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		v.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-done })
	return v
}

// frame waits for the next frame.
func (v *viewer) frame() []byte {
	v.t.Helper()
	select {
	case s := <-v.frames:
		return s.Value.([]byte)
	case <-time.After(patience):
		v.t.Fatalf("no frame: %s", v.Status())
		return nil
	}
}

// down waits until the camera is down and returns why.
func (v *viewer) down() string {
	v.t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case s := <-v.states:
			if s.State == source.Down {
				return s.Detail
			}
		case <-timeout:
			v.t.Fatalf("not down: %s", v.Status())
		}
	}
}
