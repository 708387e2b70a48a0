// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"fmt"
	"math"
)

// Tensor is one output of a graph: Data, in C order, has as many numbers as Shape
// multiplies to.
type Tensor struct {
	Name  string
	Shape []int64
	Data  []float32
}

func (t Tensor) String() string { return fmt.Sprintf("output %q %v", t.Name, t.Shape) }

// matrix sees a tensor [1, rows, columns] or [rows, columns] as a matrix.
func (t Tensor) matrix() (rows, columns int, err error) {
	dims := t.Shape
	if len(dims) == 3 && dims[0] == 1 {
		dims = dims[1:]
	}
	if len(dims) != 2 || int64(len(t.Data)) != dims[0]*dims[1] {
		return 0, 0, fmt.Errorf("%v: needed are three dimensions, the first of them 1", t)
	}
	return int(dims[0]), int(dims[1]), nil
}

func finite(v float32) bool { return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0) }
