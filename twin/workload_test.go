// SPDX-License-Identifier: Apache-2.0

package twin

import (
	"fmt"
	"hash/fnv"
	"testing"
	"time"
)

// A seed gives the same tasks for ever: figures that were published can be had again.
func TestSeedGivesTheTasksItAlwaysGave(t *testing.T) {
	scenario := Benchmark()
	for _, c := range []struct {
		class string
		seed  uint64
		tasks int
		hash  uint64
	}{
		{"nano", 1, 1644, 0x934a8f7df52dfece},
		{"nano", 2, 1652, 0xd712c2f9f4635087},
		{"xavier", 1, 4055, 0x614fea3b5dce52fa},
		{"xavier", 2, 4106, 0x536a8a49bcabdc30},
		{"orin", 1, 11035, 0x4e4ed8e2664276b9},
		{"orin", 2, 11083, 0xf0b271edaf85368b},
		{"xavier-overloaded", 1, 5599, 0x9e4b894d9d4f77b5},
		{"xavier-overloaded", 2, 5591, 0x3a604cd164ceec0c},
	} {
		class, err := scenario.Class(c.class)
		if err != nil {
			t.Fatal(err)
		}
		w := newWorkload(&scenario, class, 100*time.Second, c.seed)
		h := fnv.New64a()
		for _, j := range w.jobs {
			_, _ = fmt.Fprintf(h, "%d %v %d %d %d %d %d\n", j.at, j.model == 1, j.bytes, j.priority, j.allowed, j.local, j.cloud)
		}
		for _, e := range append(w.throttling, w.overload[0]...) {
			_, _ = fmt.Fprintf(h, "%d %d\n", e.from, e.to)
		}
		if len(w.jobs) != c.tasks || h.Sum64() != c.hash {
			t.Errorf("%s, seed %d: %d tasks, sum %#x; want %d, %#x", c.class, c.seed, len(w.jobs), h.Sum64(), c.tasks, c.hash)
		}
	}
}
