// SPDX-License-Identifier: Apache-2.0

package jpegscale

// dc reads a block's first coefficient, as the difference to the block before.
func (b *bits) dc(t *huffman) (int32, error) {
	at, window, have := refill(b.data, b.at, b.window, b.have)
	s := t.symbol(window)
	if s == 0 {
		return 0, errCode
	}
	b.at, b.window, b.have = at, window<<s.bits(), have-s.bits()
	return number(window<<s.code(), s.size()), nil
}

// ac reads the rest of a block and adds each coefficient where its term says. It says
// whether there was one.
func (b *bits) ac(t *huffman, terms *[64]term, small *[64]float32) (bool, error) {
	data, at, window, have := b.data, b.at, b.window, b.have
	k := uint(1)
	for ; k < 64; k++ {
		at, window, have = refill(data, at, window, have)
		s := t.lookup[window>>(64-lookupBits)]
		if s == 0 {
			if s = t.long(window); s == 0 {
				return false, errCode
			}
		}
		value := number(window<<s.code(), s.size())
		window <<= s.bits()
		have -= s.bits()
		if k += s.run(); k > 63 {
			continue
		}
		term := &terms[k]
		small[term.at&63] += term.gain * float32(value)
	}
	return k != endOfBlock+2, b.close(k, at, window, have)
}

// skip reads the rest of a block for nothing.
func (b *bits) skip(t *huffman) error {
	data, at, window, have := b.data, b.at, b.window, b.have
	k := uint(1)
	for ; k < 64; k++ {
		at, window, have = refill(data, at, window, have)
		s := t.lookup[window>>(64-lookupBits)]
		if s == 0 {
			if s = t.long(window); s == 0 {
				return errCode
			}
		}
		window <<= s.bits()
		have -= s.bits()
		k += s.run()
	}
	return b.close(k, at, window, have)
}

// close ends a block at coefficient k.
func (b *bits) close(k uint, at int, window uint64, have uint) error {
	b.at, b.window, b.have = at, window, have
	if k > 64 && k < endOfBlock {
		return errLong
	}
	if b.past() {
		return errPast
	}
	return nil
}

// number is the value of the size bits on top, T.81 F.2.2.1: those that begin with a 1
// are themselves, the others negative.
func number(top uint64, size uint) int32 {
	value := int32(top >> 1 >> (63 - size&63))
	return value - int32(1<<size-1)&^int32(int64(top)>>63)
}
