// SPDX-License-Identifier: Apache-2.0

package picturetest

import (
	"encoding/binary"
	"math"
)

// Variant is a kind of JPEG, of those that the standard library reads and does not write.
type Variant struct {
	Width, Height int
	// Factors are the horizontal and vertical sampling factors of each component.
	Factors [][2]int
	// Quant divides each coefficient; 0 is 1.
	Quant uint16
	// Restart is how many MCUs there are between restart markers; 0 for no markers.
	Restart int
	// CodeBits is how long each AC code is, 9 to 16; 0 is 9.
	CodeBits int
	// Progressive has a scan of all DC and one of AC for each component.
	Progressive bool
	// Adobe writes a marker with that colour transform; nil is no marker.
	Adobe *byte
	// IDs name the components; nil is 1, 2, 3...
	IDs string
}

// Encode makes a JPEG of the values that sample has at x, y of each component's own plane,
// which may lie beyond the plane's edge. It follows ITU-T T.81 and is slow.
func (v Variant) Encode(sample func(component, x, y int) byte) []byte {
	e := encoder{Variant: v, sample: sample}
	e.Quant, e.CodeBits = max(e.Quant, 1), max(e.CodeBits, 9)
	for i, f := range e.Factors {
		e.hMax, e.vMax = max(e.hMax, f[0]), max(e.vMax, f[1])
		if e.IDs == "" || len(e.IDs) <= i {
			e.IDs += string(rune('1' + i))
		}
	}
	for i := range 64 {
		u, x := i/8, i%8
		e.cosines[u][x] = .5 * math.Cos(float64((2*x+1)*u)*math.Pi/16)
		if u == 0 {
			e.cosines[u][x] /= math.Sqrt2
		}
	}
	e.headers()
	if !v.Progressive {
		e.scan(e.all(), 0, 63)
	} else {
		e.scan(e.all(), 0, 0)
		for c := range e.Factors {
			e.scan([]int{c}, 1, 63)
		}
	}
	return append(e.out, 0xff, 0xd9)
}

type encoder struct {
	Variant
	sample     func(component, x, y int) byte
	hMax, vMax int
	out        []byte
	window     uint64
	have       int
	last       [4]int        // DC of the block before
	cosines    [8][8]float64 // by frequency and place
}

func (e *encoder) all() (list []int) {
	for c := range e.Factors {
		list = append(list, c)
	}
	return list
}

func (e *encoder) segment(mark byte, body []byte) {
	e.out = append(e.out, 0xff, mark)
	e.out = binary.BigEndian.AppendUint16(e.out, uint16(2+len(body)))
	e.out = append(e.out, body...)
}

func (e *encoder) headers() {
	e.out = []byte{0xff, 0xd8}
	if e.Adobe != nil {
		e.segment(0xee, append([]byte("Adobe\x00\x64\x00\x00\x00\x00"), *e.Adobe))
	}
	quant := []byte{0x10}
	for range 64 {
		quant = binary.BigEndian.AppendUint16(quant, e.Quant)
	}
	e.segment(0xdb, quant)
	frame := binary.BigEndian.AppendUint16([]byte{8}, uint16(e.Height))
	frame = append(binary.BigEndian.AppendUint16(frame, uint16(e.Width)), byte(len(e.Factors)))
	for i, f := range e.Factors {
		frame = append(frame, e.IDs[i], byte(f[0]<<4|f[1]), 0)
	}
	e.segment(map[bool]byte{false: 0xc1, true: 0xc2}[e.Progressive], frame)
	e.codes(0x00, 12, 4)
	e.codes(0x10, 255, e.CodeBits)
	if e.Restart > 0 {
		e.segment(0xdd, binary.BigEndian.AppendUint16(nil, uint16(e.Restart)))
	}
}

// codes writes a Huffman table in which each of n values is its own code, of so many bits.
func (e *encoder) codes(table byte, n, bits int) {
	body := make([]byte, 17+n)
	body[0], body[bits] = table, byte(n)
	for i := range n {
		body[17+i] = byte(i)
	}
	e.segment(0xc4, body)
}

// scan writes coefficients from to to, in zigzag order, of these components.
func (e *encoder) scan(components []int, from, to int) {
	body := []byte{byte(len(components))}
	for _, c := range components {
		body = append(body, e.IDs[c], 0)
	}
	e.segment(0xda, append(body, byte(from), byte(to), 0))
	e.last = [4]int{}
	wide, high := ceil(e.Width, 8*e.hMax), ceil(e.Height, 8*e.vMax)
	if len(components) == 1 { // not interleaved: only the blocks that have pixels
		f := e.Factors[components[0]]
		wide = ceil(ceil(e.Width*f[0], e.hMax), 8)
		high = ceil(ceil(e.Height*f[1], e.vMax), 8)
	}
	for mcu := range wide * high {
		if e.Restart > 0 && mcu > 0 && mcu%e.Restart == 0 {
			e.flush()
			e.out = append(e.out, 0xff, byte(0xd0+(mcu/e.Restart-1)%8))
			e.last = [4]int{}
		}
		e.mcu(components, mcu%wide, mcu/wide, from, to)
	}
	e.flush()
}

func (e *encoder) mcu(components []int, x, y, from, to int) {
	if len(components) == 1 {
		e.block(components[0], x, y, from, to)
		return
	}
	for _, c := range components {
		f := e.Factors[c]
		for v := range f[1] {
			for h := range f[0] {
				e.block(c, x*f[0]+h, y*f[1]+v, from, to)
			}
		}
	}
}

// block codes one block, T.81 F.1.2.
func (e *encoder) block(c, bx, by, from, to int) {
	zigzag := e.transform(c, bx, by)
	if from == 0 {
		diff := zigzag[0] - e.last[c]
		e.last[c] = zigzag[0]
		e.put(uint64(size(diff)), 4)
		e.number(diff)
		from = 1
	}
	run := 0
	for k := from; k <= to; k++ {
		if zigzag[k] == 0 {
			run++
			continue
		}
		for ; run > 15; run -= 16 {
			e.put(0xf0, e.CodeBits)
		}
		e.put(uint64(run<<4|size(zigzag[k])), e.CodeBits)
		e.number(zigzag[k])
		run = 0
	}
	if run > 0 {
		e.put(0, e.CodeBits)
	}
}

func size(v int) (n int) {
	for v = max(v, -v); v > 0; v >>= 1 {
		n++
	}
	return n
}

func (e *encoder) number(v int) {
	n := size(v)
	if v < 0 {
		v += 1<<n - 1
	}
	e.put(uint64(v), n)
}

func (e *encoder) put(bits uint64, n int) {
	e.window, e.have = e.window<<n|bits, e.have+n
	for e.have >= 8 {
		e.have -= 8
		b := byte(e.window >> e.have)
		e.out = append(e.out, b)
		if b == 0xff {
			e.out = append(e.out, 0)
		}
	}
}

// flush fills the last byte with ones.
func (e *encoder) flush() {
	if e.have > 0 {
		e.put(1<<(8-e.have)-1, 8-e.have)
	}
}

// transform is the DCT of T.81 A.3.3, divided and in zigzag order.
func (e *encoder) transform(c, bx, by int) (zigzag [64]int) {
	var pixels [8][8]float64
	for y := range 8 {
		for x := range 8 {
			pixels[y][x] = float64(e.sample(c, bx*8+x, by*8+y)) - 128
		}
	}
	u, v := 0, 0
	for k := range 64 {
		sum := 0.
		for y := range 8 {
			for x := range 8 {
				sum += pixels[y][x] * e.cosines[u][x] * e.cosines[v][y]
			}
		}
		zigzag[k] = int(math.Round(sum / float64(e.Quant)))
		switch up := (u+v)%2 == 0; { // T.81 figure A.6
		case up && u == 7, !up && v < 7 && u == 0:
			v++
		case up && v == 0, !up && v == 7:
			u++
		case up:
			u, v = u+1, v-1
		default:
			u, v = u-1, v+1
		}
	}
	return zigzag
}

func ceil(a, b int) int { return (a + b - 1) / b }
