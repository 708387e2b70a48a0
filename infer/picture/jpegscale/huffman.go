// SPDX-License-Identifier: Apache-2.0

package jpegscale

import (
	"bytes"
	"fmt"
)

// lookupBits is how long a code the table answers at once: longer ones are the rarest.
const lookupBits = 10

// symbol is what a code means, as it is needed in the loop over coefficients:
// bits 0 to 7 the length of the code and of the number that follows it, 8 to 15 the code's
// length alone, 16 to 23 that of the number, 24 to 31 how many zeros come before it.
// 0 is no code.
type symbol uint32

func (s symbol) bits() uint { return uint(s & 63) }
func (s symbol) code() uint { return uint(s >> 8 & 63) }
func (s symbol) size() uint { return uint(s >> 16 & 15) }
func (s symbol) run() uint  { return uint(s >> 24) }

// endOfBlock is the run of the symbol that says that there are zeros alone: more than any
// other can reach.
const endOfBlock = 128

// huffman is a table of codes.
type huffman struct {
	lookup  [1 << lookupBits]symbol
	symbols [256]symbol // in the order of their codes
	first   [17]int32   // the first code of each length
	index   [17]int32   // its place in symbols
	count   [17]int32
	source  [17 + 256]byte // what the table was made of
}

// fit makes the table of a DHT's counts and values and says how many bytes these are. A
// camera sends the same ones with each picture.
func (t *huffman) fit(b []byte, dc bool) (int, error) {
	n := 0
	for _, count := range b[:16] {
		n += int(count)
	}
	if n > 256 || len(b) < 16+n {
		return 0, fmt.Errorf("DHT of %d values in %d bytes: allowed are up to 256", n, len(b)-16)
	}
	key := t.source[1 : 17+n]
	if bytes.Equal(key, b[:16+n]) && t.source[0] == kind(dc) {
		return 16 + n, nil
	}
	t.source[0] = 0 // until it is whole
	if err := t.build(b[:16], b[16:16+n], dc); err != nil {
		return 0, err
	}
	copy(key, b)
	t.source[0] = kind(dc)
	return 16 + n, nil
}

func kind(dc bool) byte {
	if dc {
		return 1
	}
	return 2
}

// build follows T.81 C.2: codes count up, and get a bit longer where their length ends.
func (t *huffman) build(counts, values []byte, dc bool) error {
	clear(t.lookup[:])
	code, at := int32(0), int32(0)
	for length := 1; length <= 16; length++ {
		code <<= 1
		t.first[length], t.index[length], t.count[length] = code, at, int32(counts[length-1])
		for range counts[length-1] {
			s, err := symbolOf(values[at], length, dc)
			if err != nil {
				return err
			}
			t.symbols[at] = s
			if length <= lookupBits && code < 1<<length {
				from := code << (lookupBits - length)
				for i := range int32(1) << (lookupBits - length) {
					t.lookup[from+i] = s
				}
			}
			code++
			at++
		}
		if code > 1<<length {
			return fmt.Errorf("DHT has more codes of %d bits than there are", length)
		}
	}
	return nil
}

// symbolOf follows T.81 F.1.2.1 for DC and F.1.2.2 for AC.
func symbolOf(value byte, length int, dc bool) (symbol, error) {
	run, size := int(value>>4), int(value&15)
	switch {
	case dc && value > 11:
		return 0, fmt.Errorf("DC value of %d bits: allowed are up to 11", value)
	case !dc && size == 0 && run < 15:
		run = endOfBlock
	}
	return symbol(length + size | length<<8 | size<<16 | run<<24), nil
}

// symbol is that of the code at the top of window, and 0 if there is none.
func (t *huffman) symbol(window uint64) symbol {
	if s := t.lookup[window>>(64-lookupBits)]; s != 0 {
		return s
	}
	return t.long(window)
}

// long finds a code that lookup does not have, at the top of window. It is 0 for none.
func (t *huffman) long(window uint64) symbol {
	for length := lookupBits + 1; length <= 16; length++ {
		code := int32(window >> (64 - length))
		if at := code - t.first[length]; at >= 0 && at < t.count[length] {
			return t.symbols[(t.index[length]+at)&255]
		}
	}
	return 0
}
