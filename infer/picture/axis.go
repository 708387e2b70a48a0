// SPDX-License-Identifier: Apache-2.0

package picture

import "math"

// axis says, for each of the out samples of one dimension, which samples of the source
// make it up: taps of them from start[i] on, with weights[i*taps:] that add up to 1.
type axis struct {
	taps    int
	start   []int
	weights []float32
}

// newAxis resamples in samples, the last of which may be a part of one, to out. A reduction averages all samples under each new
// one, so that fine detail does not alias; with fast, and for an enlargement, it is the
// linear mean of the two nearest. Sample centres are at i + 1/2, as in OpenCV and Pillow.
func newAxis(in float64, out int, fast bool) axis {
	switch {
	case in == float64(out):
		return sameAxis(out)
	case in > float64(out) && !fast:
		return areaAxis(in, out)
	}
	return linearAxis(in, out)
}

// sameAxis takes each sample as it is.
func sameAxis(n int) axis {
	a := axis{taps: 1, start: make([]int, n), weights: make([]float32, n)}
	for i := range n {
		a.start[i], a.weights[i] = i, 1
	}
	return a
}

func linearAxis(in float64, out int) axis {
	whole := int(math.Ceil(in))
	a := axis{taps: min(2, whole), start: make([]int, out)}
	a.weights = make([]float32, out*a.taps)
	step := in / float64(out)
	for i := range out {
		at := min(max((float64(i)+.5)*step-.5, 0), float64(whole-1))
		first := min(int(at), whole-a.taps)
		a.start[i] = first
		if a.taps == 1 {
			a.weights[i] = 1
			continue
		}
		right := float32(at - float64(first))
		a.weights[2*i], a.weights[2*i+1] = 1-right, right
	}
	return a
}

func areaAxis(in float64, out int) axis {
	step, whole := in/float64(out), int(math.Ceil(in))
	a := axis{taps: min(int(math.Ceil(step))+1, whole), start: make([]int, out)}
	a.weights = make([]float32, out*a.taps)
	for i := range out {
		from, to := float64(i)*step, float64(i+1)*step
		first := min(int(from), whole-a.taps)
		a.start[i] = first
		for k := range a.taps {
			low, high := max(from, float64(first+k)), min(to, float64(first+k+1))
			a.weights[i*a.taps+k] = float32(max(high-low, 0) / step)
		}
	}
	return a
}

// row resamples one row of a plane into out.
func (a axis) row(out []float32, pix []byte, step int) {
	switch {
	case a.taps == 1 && step == 1:
		for i, first := range a.start {
			out[i] = float32(pix[first])
		}
	case a.taps == 2:
		a.row2(out, pix, step)
	case a.taps == 3 && step == 1:
		a.row3(out, pix)
	case step == 1:
		a.rowDense(out, pix)
	default:
		for i, first := range a.start {
			sum, at := float32(0), first*step
			for _, w := range a.weights[i*a.taps : (i+1)*a.taps] {
				sum += w * float32(pix[at])
				at += step
			}
			out[i] = sum
		}
	}
}

// rowDense is row for the planes of a JPEG.
func (a axis) rowDense(out []float32, pix []byte) {
	for i, first := range a.start {
		weights := a.weights[i*a.taps : (i+1)*a.taps]
		values := pix[first : first+a.taps]
		sum := float32(0)
		for k, v := range values[:len(weights)] {
			sum += weights[k] * float32(v)
		}
		out[i] = sum
	}
}

// row2 is row for two taps: an enlargement and the fast way.
func (a axis) row2(out []float32, pix []byte, step int) {
	out = out[:len(a.start)]
	weights := a.weights[:2*len(out)]
	for i, first := range a.start {
		v := pix[first*step:]
		left, right := float32(v[0]), float32(v[step])
		out[i] = left + weights[1]*(right-left)
		weights = weights[2:]
	}
}

// row3 is rowDense for three taps: a reduction to more than half the size, which is what
// is left to do after a scaled decode.
func (a axis) row3(out []float32, pix []byte) {
	out = out[:len(a.start)]
	weights := a.weights[:3*len(out)]
	for i, first := range a.start {
		v := pix[first : first+3 : first+3]
		out[i] = weights[0]*float32(v[0]) + weights[1]*float32(v[1]) + weights[2]*float32(v[2])
		weights = weights[3:]
	}
}
