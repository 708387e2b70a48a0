// SPDX-License-Identifier: Apache-2.0

// Package camera holds the cameras that the device service knows: a folder of JPEG files,
// an MJPEG stream and a snapshot address over HTTP, and a synthetic conveyor.
//
// Each is a source.Source whose samples are JPEG bytes ([]byte). Limits are checked where
// a frame is captured: its size before it is read, its dimensions before it is handed on.
//
// A camera is made by New from the protocol properties of a device and holds no
// connection, file or goroutine until it runs.
package camera
