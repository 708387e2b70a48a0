// SPDX-License-Identifier: Apache-2.0

// Package console shows a run to people: decisions as lines in columns at a pace that can
// be read, and a summary at the end.
//
// Of many decisions it shows a few and counts the rest; what changes is always shown: the
// link that goes down or comes up, its rate, a source that is answered from elsewhere
// than before, tasks that were dropped. Time is passed in. A View is not safe for
// concurrent use.
package console
