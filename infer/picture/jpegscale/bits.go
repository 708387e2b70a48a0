// SPDX-License-Identifier: Apache-2.0

package jpegscale

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// blockBytes is the most that a block can take: 64 codes of up to 16 bits, each with a
// number of up to 15. So much may be read past the end before it is noticed.
const blockBytes = 64 * (16 + 15) / 8

// windowBytes is how far the window may be ahead of that.
const windowBytes = 16

// bits is a scan's data, with a window on it.
type bits struct {
	data   []byte // without stuffing and markers, and with zeros after its end
	ends   []int  // of the parts between restart markers
	window uint64 // the next bits, the first one on top
	have   uint   // how many of window are counted as read from data
	at     int    // in data, of what comes after those
	end    int    // of this part
}

// unstuff takes out what T.81 B.1.1.5 puts in: a zero after each ff. It goes as far as the
// end of the picture, and wants so many segments and nothing after them.
func (b *bits) unstuff(scan []byte, segments int) error {
	b.data, b.ends = grow(b.data[:0], len(scan)+blockBytes+windowBytes)[:0], b.ends[:0]
	for {
		i := bytes.IndexByte(scan, 0xff)
		if i < 0 || i+1 >= len(scan) {
			return errors.New("the pixels end without a marker")
		}
		b.data = append(b.data, scan[:i]...)
		mark := scan[i+1]
		if mark == 0xff { // T.81 B.1.1.2: fill bytes
			scan = scan[i+1:]
			continue
		}
		scan = scan[i+2:]
		switch {
		case mark == 0:
			b.data = append(b.data, 0xff)
		case mark >= markRST0 && mark <= markRST7:
			if want := markRST0 + len(b.ends)%8; int(mark) != want || len(b.ends)+1 >= segments {
				return fmt.Errorf("restart marker %02x after %d of %d parts", mark, len(b.ends)+1, segments)
			}
			b.ends = append(b.ends, len(b.data))
		case mark == markEOI:
			b.ends = append(b.ends, len(b.data))
			if len(b.ends) != segments {
				return fmt.Errorf("%d parts between restart markers: needed are %d", len(b.ends), segments)
			}
			b.data = append(b.data, make([]byte, blockBytes+windowBytes)...)
			return nil
		default:
			return ErrKind // another scan
		}
	}
}

// start opens the window on a segment.
func (b *bits) start(segment int) {
	b.window, b.have, b.at = 0, 0, 0
	if segment > 0 {
		b.at = b.ends[segment-1]
	}
	b.end = b.ends[segment]
}

// past says that more was taken than there is.
func (b *bits) past() bool { return b.at*8-int(b.have) > b.end*8 }

// refill makes sure of 56 bits at least in window. How it does so without a branch is
// "variant 4" of https://fgiesen.wordpress.com/2018/02/20/reading-bits-in-far-too-many-ways-part-2/
func refill(data []byte, at int, window uint64, have uint) (int, uint64, uint) {
	window |= binary.BigEndian.Uint64(data[at:]) >> (have & 63)
	return at + int((63-have)>>3), window, have | 56
}
