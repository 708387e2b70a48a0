// SPDX-License-Identifier: Apache-2.0

package jpegscale

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Markers, T.81 table B.1.
const (
	markSOF0  = 0xc0 // baseline
	markSOF1  = 0xc1 // extended sequential
	markSOF2  = 0xc2 // progressive
	markDHT   = 0xc4
	markRST0  = 0xd0
	markRST7  = 0xd7
	markSOI   = 0xd8
	markEOI   = 0xd9
	markSOS   = 0xda
	markDQT   = 0xdb
	markDRI   = 0xdd
	markAPP0  = 0xe0
	markAPP14 = 0xee
	markAPP15 = 0xef
	markCOM   = 0xfe
)

// header is what a JPEG says before its pixels.
type header struct {
	width, height int
	components    []component
	mcusX, mcusY  int // an MCU is the smallest part in which all components have whole blocks
	restart       int // in MCUs; 0 for none
	scan          []byte
	own           [3]component // components' memory
	quantised     [4]bool      // which tables there are
	coded         [2][4]bool
}

type component struct {
	id            byte
	h, v          int // blocks in an MCU
	quant, dc, ac byte
	width, height float64 // of the plane, in samples
}

// blocks of all components, those beyond the edge as well.
func (h *header) blocks() int {
	n := 0
	for _, c := range h.components {
		n += c.h * c.v
	}
	return n * h.mcusX * h.mcusY
}

// segments are the parts between restart markers.
func (h *header) segments() int {
	if h.restart == 0 {
		return 1
	}
	return (h.mcusX*h.mcusY + h.restart - 1) / h.restart
}

// read takes in the markers up to the first scan's pixels.
func (d *Decoder) read(payload []byte) error {
	return walk(payload, func(mark byte, body, rest []byte) (done bool, err error) {
		if mark != markSOS {
			return false, d.segment(mark, body)
		}
		d.head.scan = rest
		return true, d.startOfScan(body)
	})
}

// walk has see take one segment after the other, with what follows it, until it is done.
func walk(p []byte, see func(mark byte, body, rest []byte) (done bool, err error)) error {
	if len(p) < 4 || p[0] != 0xff || p[1] != markSOI {
		return errors.New("no JPEG: it does not begin with ff d8")
	}
	for p = p[2:]; ; {
		if len(p) < 4 || p[0] != 0xff {
			return errors.New("no marker where one is due")
		}
		mark := p[1]
		if mark == 0xff { // T.81 B.1.1.2: fill bytes
			p = p[1:]
			continue
		}
		n := int(binary.BigEndian.Uint16(p[2:]))
		if n < 2 || n > len(p)-2 {
			return fmt.Errorf("marker %02x of %d bytes: there are %d", mark, n, len(p)-2)
		}
		body, rest := p[4:2+n], p[2+n:]
		if done, err := see(mark, body, rest); done || err != nil {
			return err
		}
		p = rest
	}
}

func (d *Decoder) segment(mark byte, b []byte) error {
	switch {
	case mark == markSOF0 || mark == markSOF1:
		return d.startOfFrame(b)
	case mark == markDHT:
		return d.huffmanTables(b)
	case mark == markDQT:
		return d.quantTables(b)
	case mark == markDRI:
		if len(b) != 2 {
			return fmt.Errorf("DRI of %d bytes: needed are 2", len(b))
		}
		d.head.restart = int(binary.BigEndian.Uint16(b))
		return nil
	case mark == markAPP14 && len(b) >= 12 && string(b[:5]) == "Adobe" && b[11] != 1:
		return ErrKind // no YCbCr
	case mark >= markAPP0 && mark <= markAPP15, mark == markCOM:
		return nil
	}
	return ErrKind // another kind of frame, or a marker that has no place here
}

// startOfFrame follows T.81 B.2.2.
func (d *Decoder) startOfFrame(b []byte) error {
	h := &d.head
	if h.width != 0 || len(b) < 6 || b[0] != 8 || b[5] != 1 && b[5] != 3 || len(b) != 6+3*int(b[5]) {
		return ErrKind
	}
	h.height, h.width = int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
	if h.width == 0 || h.height == 0 {
		return fmt.Errorf("%d x %d pixels", h.width, h.height)
	}
	h.components = h.own[:b[5]]
	for i := range h.components {
		s := b[6+3*i:]
		h.components[i] = component{id: s[0], h: int(s[1] >> 4), v: int(s[1] & 15), quant: s[2]}
	}
	return h.layOut()
}

// layOut gives the components their sizes.
func (h *header) layOut() error {
	first := &h.components[0]
	if len(h.components) == 1 {
		first.h, first.v = 1, 1 // T.81 A.2.2: a lone component is not interleaved
	} else if string([]byte{first.id, h.components[1].id, h.components[2].id}) == "RGB" {
		return ErrKind
	}
	for i := range h.components {
		c := &h.components[i]
		if c.h < 1 || c.v < 1 || first.h > 4 || first.v > 4 || first.h%c.h != 0 || first.v%c.v != 0 || c.quant > 3 {
			return ErrKind
		}
		c.width, c.height = float64(h.width*c.h)/float64(first.h), float64(h.height*c.v)/float64(first.v)
	}
	h.mcusX = (h.width + 8*first.h - 1) / (8 * first.h)
	h.mcusY = (h.height + 8*first.v - 1) / (8 * first.v)
	if blocks := h.blocks() / (h.mcusX * h.mcusY); blocks > 10 && len(h.components) > 1 { // T.81 B.2.3
		return fmt.Errorf("%d blocks in an MCU: allowed are up to 10", blocks)
	}
	return nil
}

// startOfScan follows T.81 B.2.3. It wants all components, in the frame's order.
func (d *Decoder) startOfScan(b []byte) error {
	components := d.head.components
	n := len(components)
	if n == 0 || len(b) != 4+2*n || int(b[0]) != n {
		return ErrKind
	}
	for i := range components {
		c, id, tables := &components[i], b[1+2*i], b[2+2*i]
		c.dc, c.ac = tables>>4, tables&15
		if c.id != id || c.dc > 3 || c.ac > 3 {
			return ErrKind
		}
		if !d.head.quantised[c.quant] || !d.head.coded[0][c.dc] || !d.head.coded[1][c.ac] {
			return fmt.Errorf("component %d uses a table that is not there", id)
		}
	}
	return nil
}

// quantTables follows T.81 B.2.4.1.
func (d *Decoder) quantTables(b []byte) error {
	for len(b) > 0 {
		wide, at := int(b[0]>>4), b[0]&15
		n := 64 << (wide & 1)
		if wide > 1 || at > 3 || len(b) < 1+n {
			return fmt.Errorf("DQT of table %d, %d bytes", at, len(b))
		}
		for i := range 64 {
			if wide == 0 {
				d.quant[at][i] = uint16(b[1+i])
			} else {
				d.quant[at][i] = binary.BigEndian.Uint16(b[1+2*i:])
			}
		}
		d.head.quantised[at] = true
		b = b[1+n:]
	}
	return nil
}

// huffmanTables follows T.81 B.2.4.2.
func (d *Decoder) huffmanTables(b []byte) error {
	for len(b) > 0 {
		class, at := b[0]>>4, b[0]&15
		if class > 1 || at > 3 || len(b) < 17 {
			return fmt.Errorf("DHT of class %d, table %d, %d bytes", class, at, len(b))
		}
		n, err := d.tables[class][at].fit(b[1:], class == 0)
		if err != nil {
			return err
		}
		d.head.coded[class][at] = true
		b = b[1+n:]
	}
	return nil
}
