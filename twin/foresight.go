// SPDX-License-Identifier: Apache-2.0

package twin

import "time"

// foresight is what an engine asks that is to know the network's future: the true trace and
// the true service times, of which nothing is changed by the asking.
type foresight struct{ *simulation }

// Done implements offload.Foresight. bytesAhead are those that were not handed over yet, as
// one payload; what was handed over is on the wire.
func (f foresight) Done(now time.Duration, ref uint64, target, bytesAhead int) time.Duration {
	w := f.wires[target] // a copy
	if bytesAhead > 0 {
		w.put(now, bytesAhead)
	}
	j := &f.work.jobs[ref]
	_, arrived, _ := w.send(now, j.bytes)
	return w.answer(arrived + f.work.service(j, target, arrived))
}
