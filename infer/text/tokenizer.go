// SPDX-License-Identifier: Apache-2.0

package text

// maxWord is the longest word in characters that is looked for in the vocabulary; a longer
// one is unknown. https://github.com/huggingface/transformers, BertTokenizer
const maxWord = 100

// Tokenizer makes a model's input of a text.
type Tokenizer struct {
	vocabulary *Vocabulary
	cased      bool
}

// NewTokenizer uses a vocabulary; cased keeps capitals and accents, as the model's
// training did or did not.
func NewTokenizer(v *Vocabulary, cased bool) *Tokenizer { return &Tokenizer{v, cased} }

// Encode fills ids with [CLS], the text's pieces as far as they have room, [SEP] and as
// many [PAD] as are left, and returns how many are no [PAD]. ids has room for two at least.
func (t *Tokenizer) Encode(ids []float32, text string) int {
	v := t.vocabulary
	room := len(ids) - 2
	pieces := make([]int32, 0, room)
	eachWord(text, t.cased, func(word []rune) bool {
		pieces = v.pieces(pieces, word)
		return len(pieces) < room
	})
	pieces = pieces[:min(len(pieces), room)]
	ids[0] = float32(v.cls)
	for i, id := range pieces {
		ids[1+i] = float32(id)
	}
	n := len(pieces) + 2
	ids[n-1] = float32(v.sep)
	for i := range ids[n:] {
		ids[n+i] = float32(v.pad)
	}
	return n
}

// pieces appends the ids of a word: always the longest piece that fits, and [UNK] for the
// whole word if nothing fits somewhere.
func (v *Vocabulary) pieces(to []int32, word []rune) []int32 {
	if len(word) > maxWord {
		return append(to, v.unset)
	}
	before, rest, known := len(to), string(word), v.first
	for rest != "" {
		id, size := longest(known, rest, v.longest)
		if size == 0 {
			return append(to[:before], v.unset)
		}
		to, rest, known = append(to, id), rest[size:], v.next
	}
	return to
}

// longest finds the longest piece that a text begins with; its size is 0 if there is none.
func longest(pieces map[string]int32, text string, most int) (id int32, size int) {
	for size = min(len(text), most); size > 0; size-- {
		if id, is := pieces[text[:size]]; is {
			return id, size
		}
	}
	return 0, 0
}
