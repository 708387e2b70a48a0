// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"edgex-offload/infer"
	"edgex-offload/infer/ort/orttest"
)

// threadCallers ask at the same time, more than there are cores.
const threadCallers = 4

// threads is why one inference has one thread, and why threads do not spin.
func threads(ctx context.Context, b *bench) (rows []row, err error) {
	n, err := mobileNet(mobileNetSide, "")
	if err != nil {
		return nil, err
	}
	graph, err := b.backend.Load(ctx, infer.Source{ONNX: n.onnx, Spec: n.spec}) // brings the library
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, graph.Close()) }()
	cores := max(2, runtime.GOMAXPROCS(0))
	var alone, crowd []side
	for _, c := range []struct {
		threads int
		spin    bool
	}{{1, false}, {cores, false}, {cores, true}} {
		one, all, closeAll, err := bareCallers(n, c.threads, c.spin)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, closeAll()) }()
		alone, crowd = append(alone, one), append(crowd, all)
	}
	single, err := b.compare(10, alone...)
	if err != nil {
		return nil, err
	}
	many, err := b.compare(3, crowd...)
	if err != nil {
		return nil, err
	}
	spent, err := b.spent(alone)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("%d threads", cores)
	return []row{
		{What: name + " over one: time of a run, alone", figure: single[1].over(single[0]).figure(), Unit: "x", Of: sides(single[1], single[0])},
		{What: name + " over one: CPU time of a run", figure: spent[1].over(spent[0]).figure(), Unit: "x", Of: sides(spent[1], spent[0])},
		{What: name + " that spin, ONNX Runtime's default, over one: CPU time of a run", figure: spent[2].over(spent[0]).figure(), Unit: "x", Of: sides(spent[2], spent[0])},
		{What: name + " over one: throughput of 4 callers", figure: many[0].over(many[1]).figure(), Unit: "x"},
		{What: name + " that spin over one: throughput of 4 callers", figure: many[0].over(many[2]).figure(), Unit: "x"},
	}, nil
}

// spent is the CPU time of one run of each side, in milliseconds: runs that are apart, as a
// camera's pictures are, since a thread also spins when its work is done.
func (b *bench) spent(runs []side) ([]series, error) {
	const times, apart = 10, 10 * time.Millisecond
	all := make([]series, len(runs))
	for range b.rounds {
		for i, run := range runs {
			before := cpuTime()
			for range times {
				if err := run(); err != nil {
					return nil, err
				}
				time.Sleep(apart)
			}
			all[i] = append(all[i], ms(cpuTime()-before)/times)
		}
	}
	return all, nil
}

// cpuTime is what the process has used so far.
func cpuTime() time.Duration {
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// bareCallers are callers of one session of the binding: one alone, and all of them at once.
func bareCallers(n network, threads int, spin bool) (alone, all side, closeAll func() error, err error) {
	bare, err := bareSession(n, threads, spin)
	if err != nil {
		return nil, nil, nil, err
	}
	list := make([]*orttest.BareCaller, threadCallers)
	for i := range list {
		if list[i], err = bare.Caller(n.noise()); err != nil {
			return nil, nil, nil, errors.Join(err, bare.Close())
		}
	}
	all = func() error {
		const runs = 5
		return atOnce(len(list), func(i int) error {
			for range runs {
				if err := list[i].Run(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return list[0].Run, all, func() error {
		var errs []error
		for _, c := range list {
			errs = append(errs, c.Close())
		}
		return errors.Join(append(errs, bare.Close())...)
	}, nil
}
