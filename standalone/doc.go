// SPDX-License-Identifier: Apache-2.0

// Package standalone holds what a site has and a developer's desk has not: a message
// broker, a core-metadata, and a network link that changes. Its subpackages run the
// three production services, unchanged, on one machine:
//
//   - broker: an MQTT broker on the loopback interface;
//   - metadata: a development stand-in for EdgeX core-metadata, in memory;
//   - emulator: an emulated network link, as a TCP proxy or of IP packets;
//   - testbed: the live system's two ends over such a link, in one process;
//   - linkcheck, twincheck: what it knows of the link against the truth, and what comes of
//     its tasks against the twin;
//   - process: child processes with logs, readiness and an orderly end;
//   - stack: the services' configuration for this run, and all of it started together;
//   - report: figures computed from decision records.
//
// Nothing in the services knows of these packages, and these packages import no
// service's internals: what they share is the EdgeX contracts and the wire.
package standalone
