// SPDX-License-Identifier: Apache-2.0

package link

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// A link that stood still leaves a long round trip and a low rate behind. By these every
// later payload seems to wait for what has long left, and would teach nothing.
func TestAnswersThatComeTooSoonEndWhatAStallLeftBehind(t *testing.T) {
	l := New()
	now := time.Second
	probe := func(rtt time.Duration) {
		l.AddProbe(Probe{Sent: now, Back: now + rtt})
		now += rtt
	}
	answer := func(bytes int, behind float64, took time.Duration) {
		p := l.Predict(now, bytes, Ahead{Bytes: behind}, 0)
		l.AddAnswer(&Attempt{Sent: now, End: now + took, Bytes: bytes, Behind: behind, Prediction: p})
		now += took
	}
	probe(40 * time.Millisecond)
	now += 20 * time.Second
	for range 4 { // it stands still for seconds
		probe(3700 * time.Millisecond)
		answer(40_000, 0, 5*time.Second)
	}
	assert.Greater(t, l.RTT(), time.Second)
	for range 9 { // 10 Mbit/s, 40 ms; what is taken to wait before each has left
		answer(50_000, 100_000, 80*time.Millisecond)
	}
	assert.Less(t, l.RTT(), 100*time.Millisecond)
	assert.Greater(t, l.UpRate(), 4e6/8)
}

// A train down that met a second of standstill made every small answer look late for as long as
// answers flowed, and every payload look as if it had taken no time.
func TestSmallAnswersEndWhatATrainDownLeftBehind(t *testing.T) {
	l := New()
	now := time.Second
	l.AddProbe(Probe{Sent: now, Back: now + 20*time.Millisecond})
	l.AddTrain(Train{At: now, Up: 11_700, UpSpread: 6 * time.Millisecond, Down: 11_700, DownSpread: 600 * time.Millisecond})
	assert.Greater(t, l.TransferDown(2000), 90*time.Millisecond)
	for range 12 { // 16 Mbit/s, 20 ms
		p := l.Predict(now, 6000, Ahead{}, 0)
		l.AddAnswer(&Attempt{Sent: now, End: now + 24*time.Millisecond, Bytes: 6000, AnswerBytes: 2000, Prediction: p})
		now += 100 * time.Millisecond
	}
	assert.Less(t, l.TransferDown(2000), 15*time.Millisecond)
	assert.InDelta(t, 2e6, l.UpRate(), 1.5e6)
}

// What comes back long before anything ever did is a lie, or a clock.
func TestAnswerInAFlashDisprovesNothing(t *testing.T) {
	l := New()
	for i := range 9 {
		l.AddProbe(Probe{Sent: time.Duration(i) * time.Second, Back: time.Duration(i)*time.Second + 40*time.Millisecond})
	}
	a := &Attempt{Sent: 10 * time.Second, End: 10*time.Second + time.Millisecond, Bytes: 50_000, Behind: 100_000}
	assert.False(t, l.disproved(a, .001, 1))
	assert.True(t, l.disproved(a, .030, 1))
}
