// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// The policies by name.
const (
	PolicyLocal     = "local"
	PolicyCloud     = "cloud"
	PolicyThreshold = "threshold"
	PolicyCost      = "cost"
)

// Policies lists the names that Settings.Policy may have.
func Policies() []string { return []string{PolicyLocal, PolicyCloud, PolicyThreshold, PolicyCost} }

// Settings are what may change while the engine runs; Config.Settings are the first.
type Settings struct {
	// Policy is one of Policies.
	Policy string
	// JitterFactor is K: how many times the jitter (standard deviation of RTT) a remote
	// path's expected time is lengthened by. Raising it sends less on an unsteady link.
	JitterFactor float64
	// Hedge keeps a local backup of each task that was sent away, started at the latest
	// time at which it still makes the deadline.
	Hedge bool
	// Weights of the cost policy.
	Weights Weights
	// Threshold are the limits of the threshold policy.
	Threshold Threshold
	// QueueLimit bounds the tasks that wait for the box; the least important goes first.
	QueueLimit int
	// InFlightLimit bounds the attempts under way per target.
	InFlightLimit int
	// RetryTarget is how long a target that failed is left alone before it is tried again;
	// a probe that comes back ends the pause at once.
	RetryTarget time.Duration
	// Guard is kept between a backup's expected end and the deadline, for what the
	// estimates do not see.
	Guard time.Duration
	// Grace is how long after its deadline an attempt under way is still waited for; what
	// comes then is a result, named late. Raising it keeps places occupied with late work.
	Grace time.Duration
}

// Weights say what the cost policy weighs, in one currency: milliseconds of latency.
type Weights struct {
	// Accuracy is how many milliseconds one point (0.01) of accuracy is worth.
	Accuracy float64
	// Energy is how many milliseconds one joule is worth.
	Energy float64
	// Money is how many milliseconds one megabyte sent is worth.
	Money float64
}

// Threshold are the limits beyond which the threshold policy stays local.
type Threshold struct {
	RTT, Jitter time.Duration
	// Loss is the largest share of lost probes, 0 to 1.
	Loss float64
}

// DefaultSettings suit a box with one camera or two and a link of a few Mbit/s.
func DefaultSettings() Settings {
	return Settings{
		Policy:        PolicyCost,
		JitterFactor:  2,
		Hedge:         true,
		Weights:       Weights{Accuracy: 50, Energy: 0, Money: 0},
		Threshold:     Threshold{RTT: 100 * time.Millisecond, Jitter: 30 * time.Millisecond, Loss: .05},
		QueueLimit:    64,
		InFlightLimit: 8,
		RetryTarget:   2 * time.Second,
		Guard:         5 * time.Millisecond,
		Grace:         100 * time.Millisecond,
	}
}

// Validate names every key that is wrong, its value and what is allowed.
func (s Settings) Validate() error {
	var errs []error
	bad := func(ok bool, key string, value any, allowed string) {
		if !ok {
			errs = append(errs, fmt.Errorf("%s %v: allowed is %s", key, value, allowed))
		}
	}
	bad(slices.Contains(Policies(), s.Policy), "Policy", fmt.Sprintf("%q", s.Policy), strings.Join(Policies(), ", "))
	bad(within(s.JitterFactor, 0, 100), "JitterFactor", s.JitterFactor, "0 to 100")
	bad(within(s.Weights.Accuracy, 0, 1e6), "Weights.Accuracy", s.Weights.Accuracy, "0 to 1e6 ms per point")
	bad(within(s.Weights.Energy, 0, 1e6), "Weights.Energy", s.Weights.Energy, "0 to 1e6 ms per joule")
	bad(within(s.Weights.Money, 0, 1e6), "Weights.Money", s.Weights.Money, "0 to 1e6 ms per megabyte")
	bad(s.Threshold.RTT > 0 && s.Threshold.RTT <= time.Minute, "Threshold.RTT", s.Threshold.RTT, "more than 0 up to 1m")
	bad(s.Threshold.Jitter > 0 && s.Threshold.Jitter <= time.Minute, "Threshold.Jitter", s.Threshold.Jitter, "more than 0 up to 1m")
	bad(within(s.Threshold.Loss, 0, 1), "Threshold.Loss", s.Threshold.Loss, "0 to 1")
	bad(s.QueueLimit >= 1 && s.QueueLimit <= 10000, "QueueLimit", s.QueueLimit, "1 to 10000 tasks")
	bad(s.InFlightLimit >= 1 && s.InFlightLimit <= 1000, "InFlightLimit", s.InFlightLimit, "1 to 1000 attempts")
	bad(s.RetryTarget >= 100*time.Millisecond && s.RetryTarget <= 10*time.Minute, "RetryTarget", s.RetryTarget, "100ms to 10m")
	bad(s.Guard >= 0 && s.Guard <= time.Second, "Guard", s.Guard, "0s to 1s")
	bad(s.Grace >= 0 && s.Grace <= time.Minute, "Grace", s.Grace, "0s to 1m")
	return errors.Join(errs...)
}

func within(v, low, high float64) bool { return !math.IsNaN(v) && v >= low && v <= high }
