// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"time"

	"edgex-offload/offload/link"
)

// retransmission is what one lost packet costs on top of the round trip: the least
// retransmission timeout of Linux's TCP.
const retransmission = 200 * time.Millisecond

func (e *Engine) localPath(p *path, j *job) {
	p.target = onBox
	if len(j.variants()) == 0 {
		*p.view = PathView{Target: Local, Block: Block{What: NoModel}}
		p.expected = forever
		return
	}
	wait := e.decision.ahead
	v, fits := e.box.fitting(j, e.now+wait)
	if !fits && e.preempts() {
		wait = e.box.workLeft(j, e.now)
		v, _ = e.box.fitting(j, e.now+wait)
	}
	service := e.box.expect(v, j.task, e.now)
	if e.settings.FIFO {
		v = bestOf(j.variants())
	}
	p.expected = wait + service
	p.joules = e.box.joules(e.power.Busy, service)
	*p.view = PathView{
		Target: Local, Usable: true, Variant: v.Name, Accuracy: v.Accuracy,
		WaitMs: ms(wait), ServiceMs: ms(service), ExpectedMs: ms(p.expected), InTime: 1, Joules: p.joules,
	}
	if p.left != forever {
		p.raw = e.box.within(v, p.left-wait, service)
		p.view.InTime = e.box.kept.Correct(p.raw)
	}
}

// sendPath is what a way to a target promises.
func (e *Engine) sendPath(p *path, j *job, i int, w *way) {
	t := e.targets[i]
	p.target, p.link, p.split = i, t.link, w.split
	rate := t.link.UpRate()
	ahead := t.bytesBefore(j, e.now)
	p.wait, p.transfer = seconds(ahead/rate), seconds(float64(w.bytes)/rate)
	transfer := p.transfer + t.link.TransferDown(t.answerBytes.Or(0))
	rtt, jitter, loss := t.link.RTT(), t.link.SteadyJitter(), t.link.Loss()
	margin := seconds(e.settings.JitterFactor*jitter.Seconds() + loss*retransmission.Seconds())
	p.joules = e.power.Radio * p.transfer.Seconds()
	left, variant := p.left, ""
	if w.split != nil {
		run := e.box.expect(&w.split.head[0], j.task, e.now)
		p.head, variant = e.decision.ahead+run, w.split.Name
		p.joules += e.box.joules(e.power.Busy, run)
		if left != forever {
			left -= slackened(p.head)
		}
	}
	p.expected = p.head + p.wait + transfer + rtt + w.service + margin
	p.prediction = e.predict(t, i, j, w.bytes, ahead, w.service)
	t.askedAt = max(e.now, 1)
	p.raw = p.prediction.inTime(left)
	p.silent = len(t.flying)+len(t.queue) == 0 && e.now-max(t.link.Heard(), t.exploredAt) > silence
	p.price = float64(w.bytes)*t.pricePerByte + t.pricePerCall
	*p.view = PathView{
		Target: t.name, Variant: variant, Accuracy: w.accuracy, HeadMs: ms(p.head),
		WaitMs: ms(p.wait), TransferMs: ms(transfer), UpMs: ms(p.transfer), Measured: t.link.Known(), Silent: p.silent, RTTMs: ms(rtt), ServiceMs: ms(w.service), MarginMs: ms(margin),
		ExpectedMs: ms(p.expected), JitterMs: ms(jitter), LossRatio: loss, UpKbps: kbps(rate),
		P95Ms: ms(p.head + p.prediction.Quantile(.95)), InTime: e.trust(&t.atDecision[sizeClass(w.bytes)], p.raw), Joules: p.joules, Price: p.price,
	}
	p.view.Block = e.block(t, i, j, w)
	p.view.Usable = p.view.Block.What == ""
}

// block says why a target is out of the question for a job.
func (e *Engine) block(t *target, i int, j *job, w *way) Block {
	switch {
	case j.task.Private:
		return Block{What: Private}
	case j.task.FeaturesOnly && w.split == nil && j.onward == nil:
		return Block{What: FeaturesOnly}
	case j.tried&(1<<i) != 0:
		return Block{What: TriedBefore}
	case e.now < t.of(w.model).refusedUntil:
		return Block{What: Refused, Text: w.name(j)}
	}
	return t.block(e.now, e.settings.InFlightLimit)
}

// predict is the distribution of the time to an answer from now, or what is foreseen.
func (e *Engine) predict(t *target, i int, j *job, bytes int, ahead float64, service time.Duration) prediction {
	if e.foresight != nil {
		return prediction{link.Certain(e.now, e.foresight.Done(e.now, j.ref, i, int(t.queuedBefore(j)))-e.now)}
	}
	return prediction{t.link.Predict(e.now, bytes, link.Ahead{Bytes: ahead, Oldest: t.oldest()}, service)}
}

// trust corrects a promise, unless the future is known.
func (e *Engine) trust(t *link.Trust, p float64) float64 {
	if e.foresight != nil {
		return p
	}
	return t.Correct(p)
}

// prediction is a link's, for a job.
type prediction struct{ link.Prediction }

// inTime is the probability that an attempt is done in the time left; 1 without a deadline.
func (p *prediction) inTime(left time.Duration) float64 {
	if left == forever {
		return 1
	}
	return p.By(left)
}

// silence is how long nothing is heard of a target until a task may show whether it works: of
// one that is probed rarely, since it is metered or configured so.
const silence = time.Second

func kbps(bytesPerSecond float64) float64 { return bytesPerSecond * 8 / 1000 }
