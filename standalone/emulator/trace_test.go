// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadTrace(t *testing.T) {
	trace, err := ReadTrace(strings.NewReader("t_ms,rtt_ms,up_kbps,down_kbps,loss\r\n0,44.5,6366,11500,0\r\n50,37.0,0,12220,1\r\n\r\n"))
	require.NoError(t, err)
	assert.Equal(t, []Conditions{
		{RTT: 44500 * time.Microsecond, UpBps: 795750, DownBps: 1437500},
		{RTT: 37 * ms, DownBps: 1527500, Loss: 1},
	}, trace.Slots)
	source := trace.Start()
	source.Next()
	source.Next()
	assert.Equal(t, trace.Slots[0], source.Next(), "it repeats")
}

func TestReadTraceSaysWhatIsWrong(t *testing.T) {
	const head = "t_ms,rtt_ms,up_kbps,down_kbps,loss\n"
	for _, c := range []struct{ name, csv, want string }{
		{"empty", "", `line 1, column t_ms: "": allowed is at least one row under the header t_ms,rtt_ms,up_kbps,down_kbps,loss`},
		{"no row", head, `line 2, column t_ms: "": allowed is at least one row under the header t_ms,rtt_ms,up_kbps,down_kbps,loss`},
		{"other header", "time,rtt\n", `line 1, column header: "time,rtt": allowed is t_ms,rtt_ms,up_kbps,down_kbps,loss`},
		{"column missing", head + "0,1,2,3\n", `line 2, column count: "4": allowed is 5 columns (t_ms,rtt_ms,up_kbps,down_kbps,loss)`},
		{"no number", head + "0,1,fast,3,0\n", `line 2, column up_kbps: "fast": allowed is a number from 0 to 1e+09`},
		{"not finite", head + "0,NaN,1,3,0\n", `line 2, column rtt_ms: "NaN": allowed is a number from 0 to 600000`},
		{"negative", head + "0,1,2,-3,0\n", `line 2, column down_kbps: "-3": allowed is a number from 0 to 1e+09`},
		{"loss in percent", head + "0,1,2,3,5\n", `line 2, column loss: "5": allowed is a number from 0 to 1`},
		{"off the grid", head + "0,1,2,3,0\n40,1,2,3,0\n", `line 3, column t_ms: "40": allowed is 50 (a grid of 50 ms from 0)`},
		{"never up", head + "0,1,2,3,1\n", `line 2, column up_kbps: "0 in all rows": allowed is above 0 in at least one slot without loss 1`},
		{"never down", head + "0,1,2,0,0\n", `line 2, column down_kbps: "0 in all rows": allowed is above 0 in at least one slot without loss 1`},
		{"endless line", head + strings.Repeat("0", 1000), `line 2, column t_ms: "a line without end": allowed is at most 512 bytes a line`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ReadTrace(strings.NewReader(c.csv))
			require.EqualError(t, err, c.want)
		})
	}
}

func TestTraceReadsWhatItWrote(t *testing.T) {
	for _, p := range Profiles() {
		t.Run(p.Name, func(t *testing.T) {
			recorded := Record(p.Start(3), 2400) // two minutes: each profile with outages has some
			var csv strings.Builder
			require.NoError(t, recorded.Write(&csv))
			got, err := ReadTrace(strings.NewReader(csv.String()))
			require.NoError(t, err)
			require.Len(t, got.Slots, len(recorded.Slots))
			for i, want := range recorded.Slots {
				assert.InDelta(t, want.RTT, got.Slots[i].RTT, float64(time.Microsecond))
				assert.InDelta(t, want.UpBps, got.Slots[i].UpBps, kbps(.5)+1e-6)
				assert.InDelta(t, want.DownBps, got.Slots[i].DownBps, kbps(.5)+1e-6)
				assert.Equal(t, want.Loss, got.Slots[i].Loss)
			}
			var again strings.Builder
			require.NoError(t, got.Write(&again))
			assert.Equal(t, csv.String(), again.String())
		})
	}
}

func FuzzReadTrace(f *testing.F) {
	f.Add("t_ms,rtt_ms,up_kbps,down_kbps,loss\n0,1,2,3,0\n50,1e2,0,0,1\n")
	f.Add("t_ms,rtt_ms,up_kbps,down_kbps,loss\n0,1,1e-300,3,.5\n")
	f.Fuzz(func(t *testing.T, csv string) {
		trace, err := ReadTrace(strings.NewReader(csv))
		if err != nil {
			assert.ErrorContains(t, err, "line ")
			return
		}
		shaper := NewShaper(trace.Start(), 1)
		left, arrives := shaper.Send(0, Up, 100)
		if left < 0 || left > horizon+Slot || arrives < left {
			t.Fatalf("left %s, arrives %s", left, arrives)
		}
	})
}

func TestRecordedTracesRead(t *testing.T) {
	files, _ := filepath.Glob("../../../shared/traces/*.csv")
	if len(files) == 0 {
		t.Skip("../shared/traces is not here")
	}
	for _, file := range files {
		f, err := os.Open(file)
		require.NoError(t, err)
		trace, err := ReadTrace(f)
		require.NoError(t, f.Close())
		require.NoError(t, err, file)
		assert.Greater(t, len(trace.Slots), 1000, file)
	}
}
