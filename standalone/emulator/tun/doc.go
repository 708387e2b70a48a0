// SPDX-License-Identifier: Apache-2.0

// Package tun emulates a network link at the level of IP packets: two network
// namespaces of their own, a client's and a server's, that see each other through a TUN
// device each, and between the two devices this process, which delays, queues, drops
// and reorders packets as a Source says. What is measured over it is real: TCP's own
// retransmissions, congestion control, TCP_INFO and ICMP. Linux alone, with the rights
// to make network namespaces; elsewhere Available says why not, and tests skip.
//
//	if err := tun.Available(); err != nil {
//		t.Skip(err)
//	}
//	link, err := tun.New(tun.Options{Source: trace.Start(), Seed: 1})
//	defer link.Close()
//	listener, err := link.Server().Listen(ctx, "tcp", ":0")
//	go server.Serve(listener) // net/http, grpc, ...
//	conn, err := link.Client().Dial(ctx, "tcp", listener.Addr().String())
//
// With gRPC, whose connections are made in goroutines of its own, the dialer is what
// brings them into the namespace:
//
//	grpc.NewClient("passthrough:///"+listener.Addr().String(), grpc.WithContextDialer(
//		func(ctx context.Context, address string) (net.Conn, error) {
//			return link.Client().Dial(ctx, "tcp", address)
//		}), ...)
//
// Anything else, raw sockets or a process, goes through Namespace.Do:
//
//	link.Client().Do(cmd.Start)
//
// # The model
//
// A Source says for each slot of 50 ms what the link is like; slot 0 begins when New
// returns, and a link changes only where a slot begins, also by Set, Cut and Restore. In
// each direction packets leave one after the other at the slot's rate, counted in bytes
// of IP packets; none leaves at a rate of 0. What waits is bounded, and what finds the
// queue full is dropped. A packet that has left is lost with the slot's probability, or
// arrives half of the slot's RTT later, but not before one that left earlier: a real
// bottleneck keeps order. So when the RTT falls from one slot to the next, the first
// packets of the new slot still wait for the last of the old. Options.Reorder exempts
// packets from that.
//
// While the loss is 1, an outage, what waits and what comes is dropped, or with
// Options.HoldOutages waits for its end. What has left before arrives.
//
// # Exactness and determinism
//
// The schedule is a pure core on virtual time. The n-th packet of a direction has the
// same luck for the same seed; which packet is the n-th is up to the two systems that
// talk. The pump that moves packets is one thread that sleeps in ppoll and, where the host
// allows it, goes before all others; go test -bench . shows what it adds. How late it hands
// packets over is measured all the time, see Counters.Late; what it did not take in time
// is in Counters.Missed. It does not see how long a packet waited for it in the sending
// namespace's device: that is long while goroutines keep all of GOMAXPROCS busy, up to
// the 10 ms after which Go interrupts one. Measure in a process that does not, or give it
// one processor more.
//
// # Concurrency
//
// Network and Namespace are safe for concurrent use. Close waits for the pump, which is
// the only goroutine. The namespaces have no name: they end with Close and the sockets
// and processes made in them, also when this process is killed. The threads that visit a
// namespace are locked meanwhile and restored; what a function passed to Do starts with
// go runs outside of it.
package tun
