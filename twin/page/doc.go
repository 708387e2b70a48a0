// SPDX-License-Identifier: Apache-2.0

// Package page writes what a run of the twin found as one HTML page that needs nothing else:
// no network, no second file, no library. It is meant to be read by an engineer who compares
// offload policies, kept beside the run's JSON, and printed.
//
// Geometry is computed here; the page's text, names from outside included, goes through
// html/template, which escapes it. A Content-Security-Policy in the page allows the style and
// the script that it carries, by their hashes, and nothing else. Pictures are inline SVG and
// complete without the script, but for the timelines; each has a table with its figures.
//
// The same Data give the same bytes: nothing here looks at the clock or draws at random.
package page
