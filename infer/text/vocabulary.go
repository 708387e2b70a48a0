// SPDX-License-Identifier: Apache-2.0

package text

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Bounds of a vocabulary. The largest of BERT's, the multilingual one, has 119,547 pieces.
const (
	MaxVocabularyBytes = 32 << 20
	maxPieces          = 1 << 20 // far below 2^24, up to which a float32 is exact
	maxPieceBytes      = 4096
)

// continues begins a piece that goes on with a word.
const continues = "##"

// Vocabulary is a vocab.txt: one piece a line, whose id is the line's number from 0 on.
type Vocabulary struct {
	first, next          map[string]int32 // pieces that begin and that go on with a word
	longest              int              // piece in bytes
	cls, sep, pad, unset int32
}

// ReadVocabulary reads a vocab.txt. The error names the line or the piece that is missing.
func ReadVocabulary(r io.Reader) (*Vocabulary, error) {
	v := &Vocabulary{first: map[string]int32{}, next: map[string]int32{}}
	limited := &io.LimitedReader{R: r, N: MaxVocabularyBytes + 1}
	lines := bufio.NewScanner(limited)
	lines.Buffer(make([]byte, 0, 4096), maxPieceBytes)
	id := int32(0)
	for ; lines.Scan(); id++ {
		if id == maxPieces {
			return nil, fmt.Errorf("more than %d lines: allowed is a vocabulary of up to so many pieces, one a line", maxPieces)
		}
		piece := strings.TrimSpace(lines.Text())
		if !utf8.ValidString(piece) {
			return nil, fmt.Errorf("line %d is not UTF-8: needed is a vocabulary, one piece a line", id+1)
		}
		v.add(piece, id)
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, fmt.Errorf("line %d is longer than %d bytes: needed is a vocabulary, one piece a line", id+1, maxPieceBytes)
	case err != nil:
		return nil, err
	case limited.N == 0:
		return nil, fmt.Errorf("more than %d bytes: needed is a vocabulary, one piece a line", MaxVocabularyBytes)
	}
	return v, v.findSpecial()
}

// add keeps the last of equal pieces, as BERT's own reader does.
func (v *Vocabulary) add(piece string, id int32) {
	v.longest = max(v.longest, len(piece))
	if rest, is := strings.CutPrefix(piece, continues); is && rest != "" {
		v.next[rest] = id
		return
	}
	v.first[piece] = id
}

func (v *Vocabulary) findSpecial() error {
	var missing []string
	for name, to := range map[string]*int32{"[CLS]": &v.cls, "[SEP]": &v.sep, "[PAD]": &v.pad, "[UNK]": &v.unset} {
		id, is := v.first[name]
		if !is {
			missing = append(missing, name)
		}
		*to = id
	}
	if len(missing) > 0 {
		return fmt.Errorf("%d pieces without %s: needed is the vocab.txt of a BERT model, one piece a line", len(v.first)+len(v.next), strings.Join(missing, ", "))
	}
	return nil
}

// Size is how many ids there are: one more than the largest.
func (v *Vocabulary) Size() int {
	most := int32(-1)
	for _, ids := range []map[string]int32{v.first, v.next} {
		for _, id := range ids {
			most = max(most, id)
		}
	}
	return int(most) + 1
}
