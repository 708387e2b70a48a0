// SPDX-License-Identifier: Apache-2.0

// Package report computes the figures of a run. All but the counts of events on the bus
// come from the decision records and nothing else, so that each can be recomputed from
// the records that a run leaves.
//
// Nothing here has a clock or a file of its own. A Run belongs to one goroutine.
package report
