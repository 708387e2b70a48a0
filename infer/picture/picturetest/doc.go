// SPDX-License-Identifier: Apache-2.0

// Package picturetest has what package picture is measured with and against: pictures as
// a camera takes them, and the way to a tensor that the standard library offers.
package picturetest
