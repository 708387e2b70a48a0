// SPDX-License-Identifier: Apache-2.0

package picturetest

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
)

// PNG is a kind of PNG, of those that the standard library reads and does not write. The
// fields are those of https://www.w3.org/TR/png/#11IHDR.
type PNG struct {
	Width, Height uint32
	Depth, Colour byte
	Interlaced    bool
}

// Encode makes a PNG of the bytes that pixel has for each of its pixels, which are whole
// bytes.
func (p PNG) Encode(pixel func(x, y int) []byte) []byte {
	var rows bytes.Buffer
	passes := [][4]int{{0, 0, 1, 1}}
	if p.Interlaced { // Adam7: first column and row, steps
		passes = [][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}
	}
	for _, s := range passes {
		for y := s[1]; y < int(p.Height); y += s[3] {
			rows.WriteByte(0) // no filter
			for x := s[0]; x < int(p.Width); x += s[2] {
				rows.Write(pixel(x, y))
			}
		}
	}
	return p.WithData(rows.Bytes())
}

// WithData makes a PNG of this header and of these bytes, compressed, whether they fit the
// header or not; none at all for nil.
func (p PNG) WithData(rows []byte) []byte {
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, p.Width), p.Height)
	head = append(head, p.Depth, p.Colour, 0, 0, 0)
	if p.Interlaced {
		head[12] = 1
	}
	out := chunk([]byte("\x89PNG\r\n\x1a\n"), "IHDR", head)
	if rows == nil {
		return out
	}
	var data bytes.Buffer
	w := zlib.NewWriter(&data)
	_, _ = w.Write(rows) // a buffer takes all
	_ = w.Close()
	return chunk(chunk(out, "IDAT", data.Bytes()), "IEND", nil)
}

func chunk(out []byte, name string, body []byte) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(body)))
	at := len(out)
	out = append(append(out, name...), body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[at:]))
}
