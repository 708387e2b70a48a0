// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"unicode/utf8"

	"edgex-offload/infer/text"
	"edgex-offload/offload"
)

// TextType is the content type of text: UTF-8.
const TextType = "text/plain"

// mostTokens bounds input.max_tokens.
const mostTokens = 8192

// The inputs of a BERT graph, each with the names that exporters give it: those of
// PyTorch and Hugging Face, then those of TensorFlow.
const (
	idsInput = iota
	maskInput
	typesInput
)

func bertInputs() [3][]string {
	return [3][]string{
		{"input_ids", "input_word_ids", "input_ids:0"},
		{"attention_mask", "input_mask", "attention_mask:0", "input_mask:0"},
		{"token_type_ids", "input_type_ids", "segment_ids", "token_type_ids:0", "segment_ids:0"},
	}
}

// feedsText lists what a graph that reads text is fed.
func (in Input) feedsText() []Fed {
	feeds := make([]Fed, 0, 3)
	for i, names := range bertInputs() {
		feeds = append(feeds, Fed{Name: names[0], Others: names[1:], Shape: in.TensorShape(), Optional: i != idsInput})
	}
	if in.Name != "" {
		feeds[idsInput].Name, feeds[idsInput].Others = in.Name, nil
	}
	return feeds
}

func (in Input) validateText(c *checker) {
	c.check(in.MaxTokens >= 3 && in.MaxTokens <= mostTokens, "input.max_tokens", in.MaxTokens, fmt.Sprintf("3 to %d, which the graph was exported for", mostTokens))
	c.check(isBeside(in.Vocabulary), "input.vocabulary", quoted(in.Vocabulary), "the name of a file beside model.yaml, as in vocab.txt")
	c.check(in.Width == 0 && in.Height == 0, "input.width", in.Width, "for type image alone; a text has max_tokens")
	c.check(len(in.Shape) == 0, "input.shape", in.Shape, "for type signal alone; a text has max_tokens")
}

// textFiller writes a text into the inputs of a graph.
type textFiller struct {
	words *text.Tokenizer
	roles []int // of each input of the graph
}

// newTextFiller reads the vocabulary that lies beside the model.
func newTextFiller(in Input, dir string, inputs []Port) (*textFiller, error) {
	f, _, err := openRegular(filepath.Join(dir, in.Vocabulary))
	if err != nil {
		return nil, fmt.Errorf("input.vocabulary: %w: put the model's vocab.txt beside %s", err, SpecFile)
	}
	defer f.Close()
	vocabulary, err := text.ReadVocabulary(f)
	if err != nil {
		return nil, fmt.Errorf("input.vocabulary %s: %w", in.Vocabulary, err)
	}
	t := &textFiller{words: text.NewTokenizer(vocabulary, in.Cased)}
	for _, p := range inputs {
		role := slices.IndexFunc(in.feedsText(), func(f Fed) bool { return f.Is(p.Name) })
		t.roles = append(t.roles, role)
	}
	return t, nil
}

func (t *textFiller) fill(inputs [][]float32, task offload.Task) error {
	switch {
	case len(task.Payload) == 0:
		return errors.New("payload is empty: needed is UTF-8 text")
	case !utf8.Valid(task.Payload):
		return errors.New("payload is not UTF-8: needed is UTF-8 text")
	case len(inputs) != len(t.roles):
		return fmt.Errorf("%d inputs: the graph was said to have %d", len(inputs), len(t.roles))
	}
	at := slices.Index(t.roles, idsInput)
	if at < 0 {
		return errors.New("no input of the graph takes the ids: correct input.name")
	}
	used := t.words.Encode(inputs[at], string(task.Payload))
	for i, role := range t.roles {
		switch role {
		case maskInput:
			mask := inputs[i]
			clear(mask)
			for k := range min(used, len(mask)) {
				mask[k] = 1
			}
		case typesInput:
			clear(inputs[i]) // all of it is the first sentence
		}
	}
	return nil
}
