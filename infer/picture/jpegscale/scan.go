// SPDX-License-Identifier: Apache-2.0

package jpegscale

import (
	"errors"
	"fmt"
)

var (
	errCode = errors.New("a code that is in no table")
	errLong = errors.New("a block of more than 64 coefficients")
	errPast = errors.New("the pixels end too early")
)

// scan decodes all MCUs, one segment after the other.
func (d *Decoder) scan(planes []Plane) error {
	h := &d.head
	all, segment := h.mcusX*h.mcusY, 0
	for from := 0; from < all; segment++ {
		to := all
		if h.restart > 0 {
			to = min(from+h.restart, all)
		}
		d.bits.start(segment)
		if err := d.segmentOf(planes, from, to); err != nil {
			return fmt.Errorf("near MCU %d of %d: %w", from, all, err)
		}
		from = to
	}
	return nil
}

func (d *Decoder) segmentOf(planes []Plane, from, to int) error {
	var last [3]int32 // DC of the block before, T.81 F.1.1.5.1
	for mcu := from; mcu < to; mcu++ {
		x, y := mcu%d.head.mcusX, mcu/d.head.mcusX
		for i := range planes {
			if err := d.component(&planes[i], i, x, y, &last[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// component decodes one component's blocks of the MCU at x, y.
func (d *Decoder) component(p *Plane, i, x, y int, last *int32) error {
	c, f := &d.head.components[i], &d.folds[i]
	dc, ac := &d.tables[0][c.dc], &d.tables[1][c.ac]
	side := 8 >> f.shift
	for v := range c.v {
		row := (y*c.v + v) * side * p.Stride
		for h := range c.h {
			diff, err := d.bits.dc(dc)
			if err != nil {
				return err
			}
			*last += diff
			if err := d.block(ac, f, *last, p.Pix[row+(x*c.h+h)*side:], p.Stride); err != nil {
				return err
			}
		}
	}
	return nil
}

// block decodes a block's AC and writes its pixels.
func (d *Decoder) block(ac *huffman, f *fold, dc int32, to []byte, stride int) error {
	first := f.terms[0].gain*float32(dc) + 128 // T.81 A.3.1
	if f.shift == maxShift {
		to[0] = pixel(first)
		return d.bits.skip(ac)
	}
	small, side := &d.small, 8>>f.shift
	clear(small[:side*side])
	small[0] = first
	some, err := d.bits.ac(ac, &f.terms, small)
	switch {
	case err != nil:
		return err
	case !some:
		flat(first, to, stride, side)
	case side == 2:
		inverse2(small, to, stride)
	case side == 4:
		inverse4(small, to, stride)
	default:
		inverse8(small, to, stride)
	}
	return nil
}
