// SPDX-License-Identifier: Apache-2.0

// Package driver adapts cameras and sensors to EdgeX: it is the ProtocolDriver that the
// device SDK calls, and knows no camera's protocol itself.
//
// What a device is follows from its protocol properties (camera, machine, mqtt or models); which
// resource means what follows from the attribute "role" of the resource in its profile:
// sample, rate, enabled, status, sent, dropped, reasons, outcome, and of models load, unload,
// rollback, rescan. So a site may have
// profiles of its own, with names of its own.
//
// Samples are pushed at the pace of their source, not read by AutoEvents, whose interval
// begins after the reading. On the way to the SDK each device has room for one sample:
// the newest. The SDK has no back-pressure, starts a goroutine for each value and brings
// values out of order; so the publisher hands it one value at a time, and goes on when
// the SDK's own counter of sent events has moved.
//
// Concurrency: the SDK calls from several goroutines. Changes of devices follow one
// another; commands and routes run beside them. Start makes the goroutines, Stop ends
// them and waits.
package driver
