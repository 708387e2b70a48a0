// SPDX-License-Identifier: Apache-2.0

// Package trial compares policies by decision records: those that acted, the one on trial,
// and shadows, which chose and did not act. It needs nothing but the records, so that a
// running service and a file of records come to the same figures.
//
// A Table is not safe for concurrent use, and its size does not grow with the records.
package trial
