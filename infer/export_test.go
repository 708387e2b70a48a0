// SPDX-License-Identifier: Apache-2.0

package infer

// FillSignal is for the benchmark.
var FillSignal = fillSignal
