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
	PolicyQuantile  = "quantile"
	PolicyLinUCB    = "linucb"
	PolicyDQN       = "dqn"
)

// Policies lists the names that Settings.Policy may have.
func Policies() []string {
	return []string{PolicyQuantile, PolicyCost, PolicyLinUCB, PolicyDQN, PolicyThreshold, PolicyLocal, PolicyCloud}
}

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
	// Objective names a set of Weights (Objectives), which then holds in their place; "" and
	// ObjectiveCustom leave them as they are given.
	Objective string
	// Weights say what is weighed against what.
	Weights Weights
	// Tuning of the policy quantile.
	Tuning Tuning
	// Shadows names policies, separated by commas, that choose on the same inputs and do not
	// act: Record.Shadows keeps what. Each costs its time at every decision.
	Shadows string
	// Trial lets another policy decide for a share of the sources.
	Trial Trial
	// Learning of the policies linucb and dqn.
	Learning Learning
	// FIFO runs and sends everything in order of arrival, without a backup, a smaller model or
	// shedding: a reference of what the scheduler is worth, and no setting for a plant.
	FIFO bool
	// Threshold are the limits of the threshold policy.
	Threshold Threshold
	// QueueLimit bounds the tasks that wait for the box; the least important goes first.
	QueueLimit int
	// InFlightLimit bounds the attempts under way per target. Up to twice as many more that
	// nobody waits for any more are let come to their end, since that teaches of the link.
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

// Weights say what is weighed, in one currency: milliseconds of latency.
type Weights struct {
	// Latency is what a millisecond is worth beside the rest; 1 unless latency does not matter
	// below the deadline.
	Latency float64
	// Accuracy is how many milliseconds one point (0.01) of accuracy is worth.
	Accuracy float64
	// Energy is how many milliseconds one joule is worth.
	Energy float64
	// Money is how many milliseconds a unit of money is worth; see Target.PricePerMB.
	Money float64
	// Battery is how many milliseconds more a joule is worth when the battery is empty; it
	// grows with the square of what is missing.
	Battery float64
}

// Tuning are the parameters of the policy quantile, of its backups and of preemption. The
// defaults come from links of many kinds; `offload twin fit` searches them for given ones.
type Tuning struct {
	// Margin is what a gain must be above its cost, in shares of accuracy. Raising it sends less.
	Margin float64
	// Airtime is the price of the uplink: of a payload that takes the whole time left, in
	// shares of accuracy, when its queue is full; AirtimeIdle the share of it when it is empty.
	Airtime, AirtimeIdle float64
	// Promise is the probability of being in time above which an idle box does not run a
	// backup yet. Raising it wastes more runs and misses less.
	Promise float64
	// Miss is what a deadline that is met is worth beside the accuracy of its result, in shares
	// of accuracy, for a task of any priority. Raising it misses less and is right less often.
	Miss float64
	// Doubt is the probability of being in time below which a backup competes for the box from
	// the start, and not only when it is idle or the backup is due.
	Doubt float64
	// Stale is the probability of being in time below which what waits to be sent is taken back.
	Stale float64
	// BackupSlack is how many times its expected time a backup is started before it must be done.
	BackupSlack float64
	// PlanSlack is how many times its expected time longer a run may take before what is planned
	// behind it is late. Raising it runs smaller models sooner and misses less.
	PlanSlack float64
	// Reserve is the share of its time allowed that each task should have left at its planned end
	// while more work arrives than the box can do. The same number of tasks runs smaller with
	// any reserve; without one they all end at their deadlines, and each that takes longer misses.
	Reserve float64
	// Preempt is what stopping a run must bring, in shares of accuracy; 0 never stops one.
	Preempt float64
}

// DefaultTuning is what suits most links.
func DefaultTuning() Tuning {
	return Tuning{
		Margin: .03, Airtime: .1, AirtimeIdle: .2, Promise: .97, Doubt: .8, Miss: 1, Stale: .3, BackupSlack: 1.3, PlanSlack: .3, Reserve: .2, Preempt: .1,
	}
}

func (t Tuning) validate() error {
	var errs []error
	check := func(key string, v, low, high float64) {
		if !within(v, low, high) {
			errs = append(errs, fmt.Errorf("Tuning.%s %v: allowed is %v to %v", key, v, low, high))
		}
	}
	check("Margin", t.Margin, -1, 10)
	check("Airtime", t.Airtime, 0, 100)
	check("AirtimeIdle", t.AirtimeIdle, 0, 1)
	check("Promise", t.Promise, 0, .999)
	check("Miss", t.Miss, 0, 100)
	check("Doubt", t.Doubt, 0, 1)
	check("Stale", t.Stale, 0, .9)
	check("BackupSlack", t.BackupSlack, 1, 5)
	check("PlanSlack", t.PlanSlack, 0, 5)
	check("Reserve", t.Reserve, 0, .9)
	check("Preempt", t.Preempt, 0, 100)
	return errors.Join(errs...)
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
		Policy:        PolicyQuantile,
		JitterFactor:  2,
		Hedge:         true,
		Weights:       Weights{Latency: 1, Accuracy: 50},
		Tuning:        DefaultTuning(),
		Learning:      DefaultLearning(),
		Threshold:     Threshold{RTT: 100 * time.Millisecond, Jitter: 30 * time.Millisecond, Loss: .05},
		QueueLimit:    64,
		InFlightLimit: 16,
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
	errs = append(errs, s.Tuning.validate(), s.validateObjective(), s.Trial.validate(), s.Learning.validate())
	if _, err := shadowNames(s.Shadows); err != nil {
		errs = append(errs, err)
	}
	bad(within(s.Weights.Latency, 0, 1e6), "Weights.Latency", s.Weights.Latency, "0 to 1e6")
	bad(within(s.Weights.Battery, 0, 1e6), "Weights.Battery", s.Weights.Battery, "0 to 1e6 ms per joule")
	bad(within(s.Weights.Accuracy, 0, 1e6), "Weights.Accuracy", s.Weights.Accuracy, "0 to 1e6 ms per point")
	bad(within(s.Weights.Energy, 0, 1e6), "Weights.Energy", s.Weights.Energy, "0 to 1e6 ms per joule")
	bad(within(s.Weights.Money, 0, 1e6), "Weights.Money", s.Weights.Money, "0 to 1e6 ms per unit of money")
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
