// SPDX-License-Identifier: Apache-2.0

// Package twin drives the engine of package offload on a virtual clock: a workload of
// cameras, sensors and bursts, a box, a cloud, and a link that follows a recorded trace.
// It is the same engine that the plant runs, so what a policy does here it does there.
//
// A run follows from its Cell alone: all random numbers come from the seed, and are drawn
// when the workload is made, so that every policy meets the same tasks, the same service
// times and the same link. Nothing here looks at the wall clock or starts a goroutine; a
// Run shares nothing with another one.
package twin
