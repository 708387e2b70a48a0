// SPDX-License-Identifier: Apache-2.0

// Package e2e tests the real binaries together on the embedded stack: real photos and
// the synthetic sources go in at one end, and what is checked are the events that come
// out on the message bus, the services' HTTP APIs, and what the command line prints and
// leaves behind. Nothing waits for a time to pass; conditions are waited for, with
// generous bounds.
package e2e
