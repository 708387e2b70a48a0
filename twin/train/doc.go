// SPDX-License-Identifier: Apache-2.0

// Package train trains the network of policy dqn in the twin: deep Q-learning (Mnih et al.:
// Human-level control through deep reinforcement learning, Nature 518, 2015) with the double
// estimator of van Hasselt, Guez and Silver (Deep reinforcement learning with double
// Q-learning, AAAI 2016), a replay buffer, a target network, the loss of Huber and Adam
// (Kingma, Ba 2015).
//
// An episode is one cell of the twin: a class of box with its tasks over one link. A
// transition is a task's decision, its reward, and the state of the decision that came next:
// tasks are nearly independent, but what one takes of the box and of the uplink the next ones
// lack, which a small discount (Options.Gamma) lets through.
//
// Invariants:
//   - the same options give the same network, byte for byte, on the same kind of processor;
//   - training, choosing the best network and the last comparison each have links of their own.
//
// Values of this package are for one goroutine; a Network is safe for several.
package train
