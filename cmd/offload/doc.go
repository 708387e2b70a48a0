// SPDX-License-Identifier: Apache-2.0

// Command offload runs and looks at edgex-offload from the command line: everything on
// one machine with offload up, one task with offload submit, the figures of a run again
// with offload report, recorded links with offload trace and twin, a model with offload
// model check, and a faster version of it with offload model quantize.
package main
