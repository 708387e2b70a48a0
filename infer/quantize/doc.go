// SPDX-License-Identifier: Apache-2.0

// Package quantize makes a static INT8 version of an ONNX graph for CPUs, in the QDQ form
// that ONNX Runtime fuses into integer kernels: activations are uint8 with a scale and a
// zero point per tensor, weights int8 with a scale per output channel and no zero point,
// biases int32. (TensorRT wants activations without a zero point; on a GPU FP16 is the way.)
//
// Calibrate tidies a graph, folds what follows a convolution into it, runs it on samples and
// learns each tensor's range. Calibrated.Model writes an INT8 version, with any layers left
// in float32, Calibrated.Sensitivity says which layers are worth that, Calibrated.Search does
// both until the version is fast and answers as well.
//
// The arithmetic is that of Jacob et al. 2018 (arXiv:1712.05877); the choice of ranges
// follows Nagel et al. 2021 (arXiv:2106.08295), what is quantised and where follows what
// ONNX Runtime fuses (https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html).
//
// Invariants:
//   - a graph is bytes from outside: what is damaged or not understood is refused with an
//     error or left in float32, and never a panic;
//   - the graph before calibration computes what the given one does, up to rounding;
//   - the same graph, samples and options give the same bytes.
//
// Nothing here is safe for concurrent use unless it says so.
package quantize
