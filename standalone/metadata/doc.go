// SPDX-License-Identifier: Apache-2.0

// Package metadata is a development stand-in for EdgeX core-metadata 3.1, for a run
// without an EdgeX stack. It is not for production: it keeps everything in memory and
// lets everybody in.
//
// It answers the part of core-metadata's REST API that services ask for: devices,
// device services, device profiles and provision watchers, with the contracts' own DTOs
// and their validation. As the real one it has a device validated by its service over
// the message bus before it takes it in, and announces every change as a system event.
//
// A Server is safe for concurrent use.
package metadata
