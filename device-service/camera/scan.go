// SPDX-License-Identifier: Apache-2.0

package camera

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"

	"edgex-offload/device-service/source"
)

// Markers of JPEG, ITU-T T.81 table B.1; each follows a byte 0xFF.
const (
	markerTEM  = 0x01
	markerRST0 = 0xD0
	markerRST7 = 0xD7
	markerSOI  = 0xD8
	markerEOI  = 0xD9
	markerSOS  = 0xDA
)

// scanner cuts a JPEG out of a stream by the JPEG's own structure: it ends with the end
// marker, and waits for nothing that comes after.
type scanner struct {
	r      *bufio.Reader
	limits Limits
	frame  []byte
	begun  bool // the 0xFF of a marker is taken already
}

// scan reads one JPEG. A *source.Rejection means that the stream can be read on after
// looking for the next boundary; every other error is the stream's.
func (l Limits) scan(r *bufio.Reader) ([]byte, error) {
	s := &scanner{r: r, limits: l}
	if err := s.take(2); err != nil {
		return nil, err
	}
	if s.frame[0] != 0xFF || s.frame[1] != markerSOI {
		return nil, source.Reject(source.NotJPEG, "begins with % x: allowed is a JPEG", s.frame)
	}
	for {
		marker, err := s.marker()
		if err != nil {
			return nil, err
		}
		switch {
		case marker == markerEOI:
			return s.frame, nil
		case marker == markerSOI: // the one before never ended
			s.frame = append(s.frame[:0], 0xFF, markerSOI)
		case marker == markerTEM || marker >= markerRST0 && marker <= markerRST7:
		default:
			if err := s.segment(); err != nil {
				return nil, err
			}
			if marker == markerSOS {
				if err := s.entropy(); err != nil {
					return nil, err
				}
			}
		}
	}
}

// marker takes 0xFF, fill bytes and the marker.
func (s *scanner) marker() (byte, error) {
	if !s.begun {
		if err := s.take(1); err != nil {
			return 0, err
		}
	}
	s.begun = false
	if last(s.frame) != 0xFF {
		return 0, source.Reject(source.NotJPEG, "byte %#x at %d: allowed is the start of a marker", last(s.frame), len(s.frame)-1)
	}
	for last(s.frame) == 0xFF {
		if err := s.take(1); err != nil {
			return 0, err
		}
	}
	return last(s.frame), nil
}

// segment takes a length of two bytes, which counts itself, and what it is the length of.
func (s *scanner) segment() error {
	if err := s.take(2); err != nil {
		return err
	}
	length := int(binary.BigEndian.Uint16(s.frame[len(s.frame)-2:]))
	if length < 2 {
		return source.Reject(source.NotJPEG, "a segment of %d bytes: allowed are 2 and more", length)
	}
	return s.take(length - 2)
}

// entropy takes the data of a scan and the 0xFF of the marker that ends it. Inside, 0xFF is
// followed by 0, or by a restart marker.
func (s *scanner) entropy() error {
	for {
		chunk, err := s.r.ReadSlice(0xFF)
		if s.frame = append(s.frame, chunk...); len(s.frame) > s.limits.Bytes {
			return s.limits.tooLarge(int64(len(s.frame)))
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			return noEOF(err)
		}
		next, err := s.r.Peek(1)
		if err != nil {
			return noEOF(err)
		}
		if next[0] == 0 || next[0] >= markerRST0 && next[0] <= markerRST7 {
			continue
		}
		s.begun = true
		return nil
	}
}

// take appends n bytes of the stream to the frame.
func (s *scanner) take(n int) error {
	have := len(s.frame)
	if have+n > s.limits.Bytes {
		return s.limits.tooLarge(int64(have + n))
	}
	s.frame = append(s.frame, make([]byte, n)...)
	_, err := io.ReadFull(s.r, s.frame[have:])
	return noEOF(err)
}

func last(b []byte) byte { return b[len(b)-1] }

// noEOF says that a stream that ended within a frame did not end well.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
