// SPDX-License-Identifier: Apache-2.0

package offload

// pool keeps jobs and attempts that are done, with the buffers of their records, so that a
// task costs no allocation once as many as are under way at once have been made.
type pool struct {
	jobs     []*job
	attempts []*attempt
	// done are jobs whose records are in the actions of this call.
	done []*job
}

func (p *pool) job() *job {
	if n := len(p.jobs); n > 0 {
		j := p.jobs[n-1]
		p.jobs = p.jobs[:n-1]
		return j
	}
	return &job{}
}

// reclaim takes back the jobs whose records nobody reads any more.
func (p *pool) reclaim() {
	for _, j := range p.done {
		*j = job{live: j.live[:0], record: Record{Paths: j.record.Paths[:0], Attempts: j.record.Attempts[:0], Shadows: j.record.Shadows[:0]}}
	}
	p.jobs = append(p.jobs, p.done...)
	p.done = p.done[:0]
}

func (p *pool) attempt() *attempt {
	if n := len(p.attempts); n > 0 {
		a := p.attempts[n-1]
		p.attempts = p.attempts[:n-1]
		return a
	}
	return &attempt{}
}

func (p *pool) freeAttempt(a *attempt) {
	*a = attempt{}
	p.attempts = append(p.attempts, a)
}
