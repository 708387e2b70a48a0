// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"encoding/binary"

	"golang.org/x/net/http2"
)

const (
	// prefaceBytes is what a client sends before its first frame (RFC 9113, section 3.4).
	prefaceBytes = len(http2.ClientPreface)
	// frameHeader is the length of a frame's header (RFC 9113, section 4.1).
	frameHeader = 9
	// smallMessage is the largest message that passes others because it is small, in bytes
	// of its frame.
	smallMessage = 4 << 10
)

// The ranks of frames: the lower is written first. Behind rankBulk there is one more for
// each priority.
const (
	rankControl = iota // headers, settings, pings: a few bytes each
	rankSmall
	rankBulk
)

// frame is one HTTP/2 frame on its way to the socket, or the client's preface.
type frame struct {
	kind   http2.FrameType
	flags  http2.Flags
	stream uint32 // 0 for one of the whole connection
	rank   int
	// parts are what is left of it: of DATA the content, which may be cut anywhere, of any
	// other the whole with its header.
	parts [][]byte
	next  int    // of parts
	left  int    // bytes from there on
	own   []byte // memory for what had to be copied
	// ends is the task whose payload ends with this frame; it may be nil.
	ends *outgoing
	// mayCut: it is DATA, in pieces of any size.
	mayCut bool
	// waits: it makes no sense without the next one and should share its packet.
	waits bool
}

// reset empties f for use again.
func (f *frame) reset() {
	clear(f.parts)
	*f = frame{parts: f.parts[:0], own: f.own[:0]}
}

// add appends content that stays as it is.
func (f *frame) add(b []byte) {
	f.parts = append(f.parts, b)
	f.left += len(b)
}

// copy appends content whose memory is used again by the caller.
func (f *frame) copy(b []byte) {
	at := len(f.own)
	f.own = append(f.own, b...)
	f.add(f.own[at:])
}

// emit appends up to room bytes of the frame to out, with a header. What cannot be cut is
// appended whole.
func (f *frame) emit(out []byte, room int) []byte {
	n := f.left
	if f.mayCut {
		n = min(n, max(room-frameHeader, 1))
		flags := f.flags
		if n < f.left {
			flags &^= http2.FlagDataEndStream // of the last piece alone
		}
		out = append(out, byte(n>>16), byte(n>>8), byte(n), byte(f.kind), byte(flags))
		out = binary.BigEndian.AppendUint32(out, f.stream)
	}
	f.left -= n
	for n > 0 {
		part := f.parts[f.next]
		k := min(n, len(part))
		out = append(out, part[:k]...)
		if f.parts[f.next] = part[k:]; k == len(part) {
			f.next++
		}
		n -= k
	}
	return out
}

// passes tells whether f may be written before g, which came earlier. It never passes one
// of its own stream, nor headers others, whose order their compression depends on.
func (f *frame) passes(g *frame) bool {
	return f.rank < g.rank && (f.stream == 0 || f.stream != g.stream)
}

// urgent tells whether f is anything but a part of a payload that others may pass.
func (f *frame) urgent() bool { return f.rank < rankBulk }

// parser cuts what gRPC writes into frames.
type parser struct {
	preface int // bytes of it that are still to come
	header  [frameHeader]byte
	have    int // bytes of the header
	left    int // bytes of the content that are still to come
	current *frame
}

// take reads on from b and returns how much it took, and the frame that is complete now,
// if one is. fresh gives an empty frame, owner the task that a piece of content belongs to
// and whether that is the payload's last piece.
func (p *parser) take(b []byte, fresh func() *frame, owner func([]byte) (*outgoing, bool)) (int, *frame) {
	if p.preface > 0 {
		n := min(p.preface, len(b))
		p.preface -= n
		f := fresh()
		f.copy(b[:n])
		f.waits = true
		return n, f
	}
	if p.current == nil {
		n := copy(p.header[p.have:], b)
		if p.have += n; p.have < frameHeader {
			return n, nil
		}
		p.have = 0
		p.begin(fresh())
		return n, p.ended()
	}
	n := min(p.left, len(b))
	p.left -= n
	p.content(b[:n], owner)
	return n, p.ended()
}

func (p *parser) begin(f *frame) {
	h := &p.header
	p.left = int(h[0])<<16 | int(h[1])<<8 | int(h[2])
	f.kind, f.flags = http2.FrameType(h[3]), http2.Flags(h[4])
	f.stream = binary.BigEndian.Uint32(h[5:]) &^ (1 << 31)
	f.mayCut = f.kind == http2.FrameData && !f.flags.Has(http2.FlagDataPadded)
	switch {
	case f.kind != http2.FrameData:
		f.rank = rankControl
		f.waits = f.kind == http2.FrameHeaders && !f.flags.Has(http2.FlagHeadersEndStream)
	case f.flags.Has(http2.FlagDataEndStream) && p.left <= smallMessage:
		f.rank = rankSmall
	default:
		f.rank = rankBulk + int(mostPriority)
	}
	if !f.mayCut {
		f.copy(h[:])
	}
	p.current = f
}

func (p *parser) content(b []byte, owner func([]byte) (*outgoing, bool)) {
	f := p.current
	o, last := (*outgoing)(nil), false
	if f.mayCut {
		o, last = owner(b)
	}
	if o == nil {
		f.copy(b)
		return
	}
	f.add(b)
	if last {
		f.ends = o
	}
	if f.rank > rankSmall {
		f.rank = rankBulk + int(mostPriority-o.priority)
	}
}

// ended gives the frame that is being read, if that was all of it.
func (p *parser) ended() *frame {
	if p.left > 0 {
		return nil
	}
	f := p.current
	p.current = nil
	return f
}
