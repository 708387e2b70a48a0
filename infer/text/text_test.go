// SPDX-License-Identifier: Apache-2.0

package text

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const special = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n"

func vocabulary(tb testing.TB, text string) *Vocabulary {
	tb.Helper()
	v, err := ReadVocabulary(strings.NewReader(text))
	require.NoError(tb, err)
	return v
}

// The cases were made by another implementation, Hugging Face's tokenizers for
// JavaScript, with this vocabulary.
func TestGoldenPieces(t *testing.T) {
	file, err := os.ReadFile("testdata/vocab.txt")
	require.NoError(t, err)
	v := vocabulary(t, string(file))
	assert.Equal(t, strings.Count(string(file), "\n"), v.Size())
	cases, err := os.ReadFile("testdata/cases.json")
	require.NoError(t, err)
	var list []struct {
		Text  string
		Cased bool
		IDs   []float32
	}
	require.NoError(t, json.Unmarshal(cases, &list))
	require.NotEmpty(t, list)
	for _, c := range list {
		ids := make([]float32, 256)
		n := NewTokenizer(v, c.Cased).Encode(ids, c.Text)
		assert.Equal(t, c.IDs, ids[:n], "%q, cased %v", c.Text, c.Cased)
		assert.Equal(t, make([]float32, 256-n), ids[n:], "[PAD] is 0")
	}
}

// Examples of google-research/bert, tokenization_test.py.
func TestPublishedExamples(t *testing.T) {
	v := vocabulary(t, "[UNK]\n[CLS]\n[SEP]\nwant\n##want\n##ed\nwa\nun\nrunn\n##ing\n,\n[PAD]")
	ids := make([]float32, 10)
	n := NewTokenizer(v, false).Encode(ids, "UNwant\u00E9d,running")
	assert.Equal(t, []float32{1, 7, 4, 5, 10, 8, 9, 2}, ids[:n])
	assert.Equal(t, []float32{11, 11}, ids[n:])
	n = NewTokenizer(v, false).Encode(ids, "unwantedX running")
	assert.Equal(t, []float32{1, 0, 8, 9, 2}, ids[:n])
	for want, c := range map[string]struct {
		text  string
		cased bool
	}{
		"ah|\u535A|\u63A8|zz":   {"ah\u535A\u63A8zz", false},
		"hello|!|how|are|you|?": {" \tHeLLo!how  \n Are yoU?  ", false},
		"HeLLo|!|how|Are|yoU|?": {" \tHeLLo!how  \n Are yoU?  ", true},
		"hello":                 {"H\u00E9llo", false},
	} {
		assert.Equal(t, want, strings.Join(split(c.text, c.cased), "|"))
	}
}

func split(text string, cased bool) (list []string) {
	eachWord(text, cased, func(word []rune) bool { list = append(list, string(word)); return true })
	return list
}

func TestLongTextIsCut(t *testing.T) {
	v := vocabulary(t, special+"a\n##b\n")
	ids := make([]float32, 6)
	assert.Equal(t, 6, NewTokenizer(v, false).Encode(ids, strings.Repeat("ab ", 1000)))
	assert.Equal(t, []float32{2, 4, 5, 4, 5, 3}, ids)
	ids = make([]float32, 5)
	assert.Equal(t, 5, NewTokenizer(v, false).Encode(ids, "ab ab"), "a word may be cut in two")
	assert.Equal(t, []float32{2, 4, 5, 4, 3}, ids)

	words := 0
	eachWord(strings.Repeat("ab ", 1000), false, func([]rune) bool { words++; return words < 3 })
	assert.Equal(t, 3, words, "the rest is not looked at")
}

func TestVocabularyMistakes(t *testing.T) {
	for text, says := range map[string]string{
		"":                            "0 pieces without [",
		"[PAD]\n[UNK]\n[CLS]\nwant":   "4 pieces without [SEP]: needed is the vocab.txt of a BERT model",
		special + "\xff\n":            "line 5 is not UTF-8",
		strings.Repeat("a", 5000):     "line 1 is longer than 4096 bytes",
		strings.Repeat("\n", 1<<20+1): "more than 1048576 lines",
	} {
		_, err := ReadVocabulary(strings.NewReader(text))
		assert.ErrorContains(t, err, says)
	}
	v := vocabulary(t, strings.ReplaceAll(special, "\n", " \r\n")+"a\na\n")
	assert.Equal(t, int32(5), v.first["a"], "the last of two")
	assert.Equal(t, 6, v.Size())
}

// A word's pieces put together are the word, or it is unknown.
func TestPiecesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOf(rapid.StringMatching(`(##)?[ab]{1,3}`)).Draw(t, "vocabulary")
		v, err := ReadVocabulary(strings.NewReader(special + strings.Join(list, "\n")))
		if err != nil {
			t.Fatal(err)
		}
		names := slices.Concat(strings.Fields(special), list)
		word := rapid.StringMatching(`[ab]{1,8}`).Draw(t, "word")
		ids := make([]float32, 16)
		n := NewTokenizer(v, false).Encode(ids, word)
		got := ""
		for _, id := range ids[1 : n-1] {
			got += strings.TrimPrefix(names[int(id)], continues)
		}
		if got != word && got != "[UNK]" {
			t.Fatalf("%q became %q", word, got)
		}
	})
}

func FuzzEncode(f *testing.F) {
	f.Add("UNwant\u00E9d,running", "want\n##ed\n", uint8(9))
	f.Add("\xff\u0301한中", "ᄒ\n##ᅡ\n中\n##", uint8(3))
	f.Add(strings.Repeat("a", 300), "a\n##a\n", uint8(255))
	f.Fuzz(func(t *testing.T, text, pieces string, room uint8) {
		v, err := ReadVocabulary(strings.NewReader(special + pieces))
		if err != nil {
			return
		}
		for _, cased := range []bool{false, true} {
			ids := make([]float32, max(int(room), 3))
			n := NewTokenizer(v, cased).Encode(ids, text)
			if n < 2 || n > len(ids) || ids[0] != float32(v.cls) || ids[n-1] != float32(v.sep) {
				t.Fatalf("%d: %v", n, ids)
			}
			for _, id := range ids {
				if id < 0 || int(id) >= v.Size() {
					t.Fatalf("id %v of %d", id, v.Size())
				}
			}
			for _, word := range split(text, cased) {
				if word == "" || !utf8.ValidString(word) {
					t.Fatalf("word %q of %q", word, text)
				}
			}
		}
	})
}
