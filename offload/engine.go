// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"time"

	"edgex-offload/offload/link"
)

// Engine decides where each task runs. See the package's documentation for its rules.
type Engine struct {
	// given are the settings as they came, settings the same with the weights of the objective.
	given, settings Settings
	policy          policy
	policies        map[string]policy // by name; each is made once
	shadows         []shadow
	power           Power
	probing         Probing
	epoch           time.Time
	foresight       Foresight
	network         Network
	bandit          *linUCB // nil until it decides

	models       map[string]*model
	modelIndexes map[string]int

	now     time.Duration
	box     box
	targets []*target
	battery battery

	jobs     []*job // under way, in order of arrival
	byRef    map[uint64]*job
	attempts map[uint64]*attempt // that will still report
	orders   uint64
	ids      uint64
	finished uint64
	stopped  bool

	pool     pool
	decision decision                 // the one that is made just now
	chain    []*job                   // scratch of wakeBackups
	views    [1 + maxTargets]PathView // scratch of rescue
	// nextBackup is when the next backup is due.
	nextBackup time.Duration

	out  []Action
	ring time.Duration // last Ring asked for; forever when none
}

// NewEngine checks the configuration as a whole; the error names each wrong key.
func NewEngine(c Config) (*Engine, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	e := &Engine{
		power: c.Power, probing: c.Probing, epoch: c.Epoch, ring: forever, foresight: c.Foresight, network: c.Network,
		box:      box{workers: c.Workers},
		policies: map[string]policy{},
		byRef:    map[uint64]*job{}, attempts: map[uint64]*attempt{}, modelIndexes: map[string]int{},
	}
	for _, t := range c.Targets {
		e.targets = append(e.targets, &target{
			name: t.Name, metered: t.Metered, pricePerByte: t.PricePerMB / 1e6, pricePerCall: t.PricePerCall, link: link.New(),
		})
	}
	e.apply(c.Settings)
	e.setModels(c.Models)
	return e, nil
}

// Handle takes one event and gives the actions that follow from it. They, and the records in
// them, are valid until the next call. An event for an attempt or a task that is not under way
// is ignored.
func (e *Engine) Handle(ev Event) []Action {
	e.out = e.out[:0]
	e.pool.reclaim()
	e.now = max(e.now, ev.At) // a clock that steps back stands still
	switch ev.Kind {
	case TaskArrived:
		e.arrive(ev.Ref, ev.Task)
	case TaskAbandoned:
		if j := e.byRef[ev.Ref]; j != nil {
			e.drop(j, Stopped, "nobody waits for it any more")
		}
	case LocalDone:
		e.localDone(&ev)
	case PayloadSent:
		if a := e.attempts[ev.Attempt]; a != nil && a.target != onBox && e.targets[a.target].sending == a {
			e.targets[a.target].sending = nil
		}
	case RemoteDone, RemoteRefused, RemoteFailed:
		e.remoteDone(&ev)
	case ProbeDone, TrainDone, ProbeLost, ProbeFailed:
		e.measured(&ev)
	case BoxChanged:
		e.battery.set(ev.Battery, ev.Charging)
		e.setSpeed(ev.Speed)
	case SettingsChanged:
		if ev.Settings != nil && ev.Settings.Validate() == nil {
			e.apply(*ev.Settings)
			e.boundQueue()
		}
	case NetworkChanged:
		e.network = ev.Network
		delete(e.policies, PolicyDQN)
		e.apply(e.given)
	case ModelsChanged:
		e.setModels(ev.Models)
	case Stop:
		e.stopped = true
		for len(e.jobs) > 0 {
			e.drop(e.jobs[0], Stopped, "the service stops")
		}
	case TimerRang:
		e.ring = forever
	}
	e.schedule()
	return e.out
}

// localDone frees a worker and, if its job still wants one, gives it the answer.
func (e *Engine) localDone(ev *Event) {
	a := e.attempts[ev.Attempt]
	if a == nil || a.target != onBox {
		return
	}
	delete(e.attempts, a.id)
	e.box.running = without(e.box.running, a)
	e.box.lastDone, e.box.changed = e.now, true
	share := e.box.speed.mean(a, e.now)
	if ev.Answer != nil {
		e.box.ran(e.now, a.variant, ev.Execution, share)
	} else if ev.Execution > a.whole && a.stopping {
		e.box.pace.add(time.Duration(float64(ev.Execution)*share), a.variant.service) // it would have taken longer still
	} else if a.stopping && a.whole > 0 {
		const weight = .1
		e.box.stops.Add(min((e.now-a.stoppedAt).Seconds()/a.whole.Seconds(), 1), weight)
	}
	j := a.job
	switch {
	case j == nil:
	case ev.Answer != nil && a.head && len(ev.Answer.Features) > 0:
		e.closeAttempt(a, "ok", "")
		e.headDone(j, ev.Answer.Features)
	case ev.Answer != nil && !a.head:
		e.closeAttempt(a, "ok", "")
		e.localAnswer(j, a.variant, ev)
	case a.stopping:
		e.closeAttempt(a, "preempted", "")
		e.fallBack(j, "its model went from the box while its run was stopped") // if it does not wait for its next run
	default:
		err := ev.Error
		if ev.Answer != nil {
			err = "the head " + a.variant.Name + " gave no features"
		}
		e.closeAttempt(a, "failed", err)
		switch {
		case a.head && j.heading():
			e.leaveHead(j)
		case !a.head && j.model != nil:
			j.withoutVariant(a.variant)
		}
		e.fallBack(j, err)
	}
	e.pool.freeAttempt(a)
}

// remoteDone learns from whatever a target said, and finishes or falls back.
func (e *Engine) remoteDone(ev *Event) {
	a := e.attempts[ev.Attempt]
	if a == nil || a.target == onBox {
		return
	}
	delete(e.attempts, a.id)
	defer e.pool.freeAttempt(a)
	t, j := e.targets[a.target], a.job
	t.drop(a)
	teaches := j != nil || a.orphan // else it was learned as given up
	if teaches && ev.Kind != RemoteRefused {
		e.kept(a, ev.Kind == RemoteDone)
	}
	switch ev.Kind {
	case RemoteDone:
		t.heard(e.now)
		t.answeredAt = e.now
		t.of(a.model).service.add(e.now, ev.Execution+ev.Queue)
		t.answerBytes.Add(float64(ev.Bytes), sizeWeight)
		if teaches {
			t.link.AddAnswer(a.ended(e.now, ev))
		}
	case RemoteRefused:
		t.heard(e.now)
		if ev.Lasting {
			t.of(a.model).refusedUntil = e.now + e.settings.RetryTarget
		}
	case RemoteFailed:
		if teaches {
			t.link.AddGivenUp(a.ended(e.now, ev))
		}
		if teaches && e.now < a.deadline { // a failure past the deadline may be the deadline itself
			t.failed(e.now, e.settings.RetryTarget, ev.Error)
		}
	}
	if j == nil {
		return
	}
	if ev.Kind == RemoteDone && ev.Answer != nil {
		e.closeAttempt(a, "ok", "")
		e.succeed(j, t.name, ev.ProcessedBy, ev.Answer)
		return
	}
	result := "failed"
	if ev.Kind == RemoteRefused {
		result = "refused"
	}
	e.closeAttempt(a, result, ev.Error)
	e.fallBack(j, t.name+": "+ev.Error)
}

// kept learns whether a promise was: of an attempt that is given up before its deadline, how
// likely it would have been.
func (e *Engine) kept(a *attempt, done bool) {
	if a.deadline == forever || e.foresight != nil {
		return
	}
	t, class, came := e.targets[a.target], sizeClass(a.payload), 0.
	switch {
	case done && e.now <= a.deadline:
		came = 1
	case !done && e.now < a.deadline:
		came = t.atHandover[class].Correct(conditional(&a.prediction, e.now, a.deadline))
	}
	t.atDecision[class].Learn(a.rawDecided, came)
	t.atHandover[class].Learn(a.raw, came)
}

// ended is what an attempt teaches of its link.
func (a *attempt) ended(now time.Duration, ev *Event) *link.Attempt {
	p := &a.decided
	l := &link.Attempt{
		Sent: a.started, End: now, Bytes: a.bytes(), AnswerBytes: ev.Bytes, Behind: a.ahead,
		Service: ev.Execution + ev.Queue, Held: ev.Held, Implausible: ev.Implausible, Socket: ev.Socket, Prediction: p.Prediction,
	}
	if a.deadline != forever {
		l.Deadline = max(0, a.deadline-p.At)
	}
	return l
}

// Estimate is what is known of a target's link; ok is false for an index that is none.
func (e *Engine) Estimate(target int) (est link.Estimate, ok bool) {
	if target < 0 || target >= len(e.targets) {
		return link.Estimate{}, false
	}
	return e.targets[target].link.Estimate(), true
}

// Predict is when an attempt of so many bytes would be done if it were made now, without
// service time; the zero Prediction for a target that is none.
func (e *Engine) Predict(target, bytes int, now time.Duration) link.Prediction {
	if target < 0 || target >= len(e.targets) {
		return link.Prediction{}
	}
	t := e.targets[target]
	return t.link.Predict(now, bytes, link.Ahead{Bytes: t.bytesAhead(now), Oldest: t.oldest()}, 0)
}

// TargetState is how a target stands, for an operator.
type TargetState struct {
	// Unusable says why nothing new is sent there; "" when it may be.
	Unusable string
	// Waiting is the length of the send queue, InFlight what was handed over.
	Waiting, InFlight int
	// Stalled is how long the oldest message has been overdue; 0 when none is.
	Stalled time.Duration
	// Probes were sent, ProbesLost of them did not come back in time. TrainBytes went into
	// packet trains, both ways.
	Probes, ProbesLost, TrainBytes uint64
	// Service is the mean execution time by model.
	Service map[string]time.Duration
}

// Target tells how a target stands; the zero value for an index that is none.
func (e *Engine) Target(i int) TargetState {
	if i < 0 || i >= len(e.targets) {
		return TargetState{}
	}
	t := e.targets[i]
	s := TargetState{
		Unusable: t.block(e.now, e.settings.InFlightLimit).String(),
		Waiting:  len(t.queue), InFlight: t.underWay() - len(t.queue), Service: map[string]time.Duration{},
		Probes: t.sentProbes, ProbesLost: t.lostProbes, TrainBytes: t.trainBytes,
	}
	_, s.Stalled = t.stalled(e.now)
	for name, i := range e.modelIndexes {
		if i < len(t.models) {
			if d := t.models[i].service.measured(); d > 0 {
				s.Service[name] = d
			}
		}
	}
	return s
}

// BoxState is how the local side stands, for an operator.
type BoxState struct {
	Waiting, Running, UnderWay int
	// Speed is the share of its full speed that it runs at, Service the mean execution time by
	// variant at that speed.
	Speed   float64
	Service map[string]time.Duration
}

// Box tells how the local side stands.
func (e *Engine) Box() BoxState {
	s := BoxState{
		Waiting: len(e.box.queue), Running: len(e.box.running), UnderWay: len(e.jobs), Speed: e.box.speed.share(),
		Service: map[string]time.Duration{},
	}
	for _, m := range e.models {
		for i := range m.local {
			v := &m.local[i]
			if d := v.service.measured(); d > 0 {
				s.Service[v.Name] = e.box.speed.stretch(e.box.pace.of(d, v.service))
			}
		}
	}
	return s
}

// Settings are those in force, as they were given.
func (e *Engine) Settings() Settings { return e.given }

// Marks are what a driver compares to see what was measured since it looked last.
type Marks struct {
	RTTAt, UpAt, DownAt time.Duration
	// Trip is the last round trip as it was measured.
	Trip       time.Duration
	ProbesLost uint64
	Rejected   [link.NumReasons]uint64
	Failing    bool
}

// Marks gives those of a target; the zero value for an index that is none. They cost
// nothing, unlike Target and Estimate.
func (e *Engine) Marks(i int) (m Marks) {
	if i < 0 || i >= len(e.targets) {
		return m
	}
	t := e.targets[i]
	m.RTTAt, m.Trip = t.link.LastTrip()
	m.UpAt, m.DownAt = t.link.RatesAt()
	m.ProbesLost, m.Rejected, m.Failing = t.lostProbes, t.link.Rejected(), t.failing
	return m
}
