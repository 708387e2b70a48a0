// SPDX-License-Identifier: Apache-2.0

package text

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// words collects the characters of one word after the other.
type words struct {
	cased bool
	word  []rune
	do    func(word []rune) bool
	full  bool // do wants no more
}

// eachWord calls do with each word of a text, until do says that it wants no more: what
// stands between white space, with punctuation and CJK characters as words of their own,
// control characters left out and, unless cased, in small letters without accents.
func eachWord(text string, cased bool, do func(word []rune) bool) {
	w := &words{cased: cased, do: do}
	for _, r := range text {
		if w.full {
			return
		}
		switch {
		case r == 0 || r == utf8.RuneError || control(r):
		case unicode.IsSpace(r):
			w.end()
		case cjk(r):
			w.end()
			w.add(r)
			w.end()
		default:
			w.add(r)
		}
	}
	if !w.full {
		w.end()
	}
}

// add takes a character, which without its accents may be several, or none.
func (w *words) add(r rune) {
	if w.cased || r < utf8.RuneSelf {
		w.addPlain(r)
		return
	}
	var room [utf8.UTFMax]byte
	n := utf8.EncodeRune(room[:], r)
	for _, part := range string(norm.NFD.Bytes(room[:n])) {
		if !unicode.Is(unicode.Mn, part) {
			w.addPlain(part)
		}
	}
}

func (w *words) addPlain(r rune) {
	if !w.cased {
		r = unicode.ToLower(r) // character by character: no final form of a Greek sigma
	}
	if punctuation(r) {
		w.end()
		w.word = append(w.word, r)
		w.end()
		return
	}
	if len(w.word) <= maxWord { // a longer word is unknown, however long
		w.word = append(w.word, r)
	}
}

func (w *words) end() {
	if len(w.word) > 0 && !w.full {
		w.full = !w.do(w.word)
	}
	w.word = w.word[:0]
}

// control characters are left out; tab and line ends count as white space.
func control(r rune) bool {
	return r != '\t' && r != '\n' && r != '\r' && unicode.Is(unicode.C, r)
}

// punctuation takes all of ASCII that is neither letter nor digit, as "$" and "^", too.
func punctuation(r rune) bool {
	if r < utf8.RuneSelf {
		return r > ' ' && r != 0x7f && !(r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z')
	}
	return unicode.IsPunct(r)
}

// cjk says whether a character is of the blocks CJK Unified Ideographs, their extensions A
// to E and the compatibility ideographs: languages that put no space between words. Hangul
// and kana are none of them.
func cjk(r rune) bool {
	for _, block := range [...][2]rune{
		{0x4E00, 0x9FFF},
		{0x3400, 0x4DBF},
		{0x20000, 0x2A6DF},
		{0x2A700, 0x2B73F},
		{0x2B740, 0x2B81F},
		{0x2B820, 0x2CEAF},
		{0xF900, 0xFAFF},
		{0x2F800, 0x2FA1F},
	} {
		if r >= block[0] && r <= block[1] {
			return true
		}
	}
	return false
}
