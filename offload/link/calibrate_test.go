// SPDX-License-Identifier: Apache-2.0

package link

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// A correction grows where its bound does not hold, shrinks where it does, by as much as
// leaves it where it is when the bound holds as often as its level; it never leaves its range.
func TestACorrectionIsInBalanceAtItsLevel(t *testing.T) {
	for i, q := range levelOf {
		var c correction
		for k := range c {
			c[k] = 1
		}
		n := int(math.Round(1 / (1 - q))) // one in n does not hold
		for k := range 1000 * n {
			c.learn(i, float64(min(k%n, 1)))
		}
		held := 1 - 1/float64(n)
		if math.Abs(held-q) < 1e-9 {
			assert.InDelta(t, 1, c[i], .05, "level %v", q)
		}
		for range 100_000 {
			c.learn(i, 0)
		}
		assert.Equal(t, mostCorrection, c[i])
		for range 100_000 {
			c.learn(i, 1)
		}
		assert.Equal(t, 1/mostCorrection, c[i])
		for k := range c {
			if k != i && c[k] != 1 {
				t.Errorf("level %v changed level %v", q, levelOf[k])
			}
		}
	}
}

// pairs are promises and what came of them.
type pair struct {
	p    float64
	came bool
}

func reference(pairs []pair) (ece, brier float64) {
	var count, promised, came [10]float64
	for _, x := range pairs {
		bin := min(int(math.Floor(x.p*10)), 9)
		count[bin]++
		promised[bin] += x.p
		outcome := 0.
		if x.came {
			came[bin]++
			outcome = 1
		}
		brier += (x.p - outcome) * (x.p - outcome) / float64(len(pairs))
	}
	for b := range count {
		if count[b] > 0 {
			ece += count[b] / float64(len(pairs)) * math.Abs(promised[b]/count[b]-came[b]/count[b])
		}
	}
	return ece, brier
}

func TestCalibrationIsAsDefined(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var s score
		var pairs []pair
		held := 0
		for range rapid.IntRange(1, 100).Draw(rt, "promises") {
			x := pair{rapid.OneOf(rapid.Float64Range(0, 1), rapid.SampledFrom([]float64{0, .1, .3, .7, 1})).Draw(rt, "p"), rapid.Bool().Draw(rt, "came")}
			pairs = append(pairs, x)
			s.promise(x.p, x.came)
			s.bound(x.came)
			if x.came {
				held++
			}
		}
		c := s.calibration()
		ece, brier := reference(pairs)
		assert.InDelta(rt, ece, c.Error, 1e-9)
		assert.InDelta(rt, brier, c.Brier, 1e-9)
		assert.InDelta(rt, float64(held)/float64(len(pairs)), c.Held95, 1e-12)
		assert.Equal(rt, uint64(len(pairs)), c.Attempts)
	})
}

func TestCalibrationOfNothing(t *testing.T) {
	var s score
	assert.Equal(t, Calibration{}, s.calibration())
	s.bound(true)
	assert.Equal(t, Calibration{Attempts: 1, Held95: 1}, s.calibration(), "no deadline was promised")
}

// What an attempt tells of its prediction, answered or given up before or after its bound
// and its deadline.
func TestWhatAnAttemptTells(t *testing.T) {
	l := New()
	now := attempts(l, 0, 100, 1, draws[0].of, nil) // 50 ms
	p := l.Predict(now, 2000, Ahead{}, 0)
	bound := p.Quantile(.95)
	for _, c := range []struct {
		name           string
		took, deadline time.Duration
		answered       bool
		attempts       uint64
		held           float64
		promises       uint64
		brier          float64
	}{
		{"answered within both", bound / 2, bound, true, 1, 1, 1, math.Pow(1-p.By(bound), 2)},
		{"answered after both", 2 * bound, bound, true, 1, 0, 1, math.Pow(p.By(bound), 2)},
		{"answered without a deadline", bound / 2, 0, true, 1, 1, 0, 0},
		{"given up before its deadline: nothing is known", bound / 2, bound, false, 0, 0, 0, 0},
		{"given up after its deadline", bound / 2, bound / 4, false, 0, 0, 1, math.Pow(p.By(bound/4), 2)},
		{"given up after its bound", 2 * bound, 3 * bound, false, 1, 0, 0, 0},
		{"given up after both", 2 * bound, bound, false, 1, 0, 1, math.Pow(p.By(bound), 2)},
		{"given up at once", 0, bound, false, 0, 0, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := New()
			a := Attempt{Sent: p.At, End: p.At + c.took, Bytes: 2000, Prediction: p, Deadline: c.deadline}
			if c.answered {
				l.AddAnswer(&a)
			} else {
				l.AddGivenUp(&a)
			}
			got := l.Estimate().Calibration
			assert.Equal(t, c.attempts, got.Attempts)
			assert.Equal(t, c.held, got.Held95)
			assert.Equal(t, c.promises, l.score.deadlines)
			assert.InDelta(t, c.brier, got.Brier, 1e-12)
			assert.Zero(t, l.Rejected())
		})
	}
}

// A promise that is true by its own measure: of the attempts that are done within a deadline
// with probability p, a share p is.
func TestPromisesComeTrue(t *testing.T) {
	for _, d := range draws {
		l, rng := New(), rand.New(rand.NewPCG(3, 4))
		for i := range 20_000 {
			now := time.Duration(i+1) * 100 * time.Millisecond
			p := l.Predict(now, 2000, Ahead{}, 0)
			deadline := seconds(.02 + .3*rng.Float64())
			l.AddAnswer(&Attempt{Sent: now, End: now + seconds(d.of(rng)), Bytes: 2000, Prediction: p, Deadline: deadline})
		}
		c := l.Estimate().Calibration
		t.Logf("%s: error %.4f, Brier %.4f, within the 95%% bound %.4f", d.name, c.Error, c.Brier, c.Held95)
		// Between two modes, or where times differ tenfold from one to the next, the curve
		// between the levels is a guess.
		limit := .015
		if d.name == "two modes" || d.name == "wide lognormal" {
			limit = .05
		}
		assert.Less(t, c.Error, limit, d.name)
		assert.InDelta(t, .95, c.Held95, .005, d.name)
	}
}
