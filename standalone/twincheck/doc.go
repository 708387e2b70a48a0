// SPDX-License-Identifier: Apache-2.0

// Package twincheck plays the same tasks over the same trace twice, in real time on the live
// system and on the twin's virtual clock, and compares what came of them.
//
// Live are the runner, its timers and locks, the client and the server of package remote,
// gRPC and TCP, over an emulated link. Both play what the twin draws: when tasks arrive and
// how large they are, how long the box and the cloud take for each. The box's model and the
// cloud's are timers of that length; the local one can be ended an eighth of its run at a
// time, as a network can between two of its operators.
//
// The seconds before the link is set up do not count: the link begins with a while in which
// it stays as in the first slot of the trace that works, and the trace begins when box and
// cloud are connected. With it begins a runner that knows nothing yet, as in the twin.
package twincheck
