// SPDX-License-Identifier: Apache-2.0

// Package stack runs the production services on one machine without an EdgeX stack:
// broker, development core-metadata, emulated link, and cloud-service, app-service and
// device-service as processes of their own, from the binaries that ship.
//
// What is special about such a run is in the services' environment and in a folder of
// device files; the services' own configuration files are used as they are. All files of
// a run lie in its run directory: logs/, devices/, and what the caller adds.
//
// Start fails as a whole or returns a Stack that runs; Stop ends everything it started,
// in the order in which nothing is lost. A Stack is safe for concurrent use.
package stack
