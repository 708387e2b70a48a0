// SPDX-License-Identifier: Apache-2.0

// Package sensor holds the sensors that the device service knows: a synthetic rotating
// machine, and any sensor whose values come as MQTT messages.
//
// Each is a source.Source. The machine's samples are windows of three axes as float32,
// little endian, one axis after the other ([]byte); those of MQTT have the Go type that
// belongs to the value type of their resource, as Decoder makes it.
package sensor
