// SPDX-License-Identifier: Apache-2.0

package tun

import "time"

// packet is an IP packet on the link.
type packet struct {
	data []byte
	// luck and order, each 0 to 1, decide whether it is lost and reordered.
	luck, order float64
	arrives     time.Duration
}

// fifo is a queue of packets; its owner bounds it.
type fifo struct {
	packets []packet
	head    int
}

func (f *fifo) len() int       { return len(f.packets) - f.head }
func (f *fifo) first() *packet { return &f.packets[f.head] }

func (f *fifo) push(p packet) {
	if f.head > 0 && len(f.packets) == cap(f.packets) && f.head >= len(f.packets)/2 {
		n := copy(f.packets, f.packets[f.head:])
		clear(f.packets[n:])
		f.packets, f.head = f.packets[:n], 0
	}
	f.packets = append(f.packets, p)
}

func (f *fifo) pop() packet {
	p := f.packets[f.head]
	f.packets[f.head] = packet{}
	if f.head++; f.head == len(f.packets) {
		f.packets, f.head = f.packets[:0], 0
	}
	return p
}

// maxSpares bounds the buffers that are kept for later: 6 MB.
const maxSpares = 4096

// buffers are reused, so that carrying packets leaves no garbage to collect.
type buffers struct{ spare [][]byte }

// take copies a packet of at most MTU bytes.
func (b *buffers) take(data []byte) []byte {
	n := len(b.spare)
	if n == 0 {
		return append(make([]byte, 0, MTU), data...)
	}
	buffer := b.spare[n-1]
	b.spare = b.spare[:n-1]
	return append(buffer, data...)
}

func (b *buffers) put(data []byte) {
	if len(b.spare) < maxSpares {
		b.spare = append(b.spare, data[:0])
	}
}
