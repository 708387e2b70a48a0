// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/infer/onnx/onnxpb"
	"edgex-offload/infer/onnx/onnxtest"
	"edgex-offload/infer/ort/orttest"
)

// moodModel sums what each word piece says for calm and for alarm: pieces of the mask
// alone, as BERT's attention sees them. It has BERT's three inputs of int64.
func moodModel(t *testing.T) string {
	t.Helper()
	const tokens = 8
	b := onnxtest.New("mood", 1)
	var in []string
	for _, name := range []string{"input_ids", "attention_mask", "token_type_ids"} {
		in = append(in, b.InputOf(onnxpb.TensorProto_INT64, name, 1, tokens))
	}
	says := b.Weight([]float32{ // [PAD] [UNK] [CLS] [SEP] hot ##test bearing fine
		9, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 2, 0, 0, 3, 0,
	}, 8, 2)
	words := b.Node("Gather", nil, says, in[0])
	mask := b.Node("Unsqueeze", nil, b.Node("Cast", onnxtest.Attributes{"to": int(onnxpb.TensorProto_FLOAT)}, in[1]), b.Ints(2))
	kinds := b.Node("Unsqueeze", nil, b.Node("Cast", onnxtest.Attributes{"to": int(onnxpb.TensorProto_FLOAT)}, in[2]), b.Ints(2))
	sum := b.Node("ReduceSum", onnxtest.Attributes{"keepdims": 0}, b.Node("Add", nil, b.Node("Mul", nil, words, mask), kinds), b.Ints(1))
	b.Output(sum, 1, 2)

	dir := filepath.Join(t.TempDir(), "mood", "1")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	for file, content := range map[string][]byte{
		"model.onnx": onnxtest.Bytes(b.Model()),
		"vocab.txt":  []byte("[PAD]\n[UNK]\n[CLS]\n[SEP]\nhot\n##test\nbearing\nfine\n"),
		"model.yaml": []byte("kind: NLP_ANALYSIS\ninput: {type: text, max_tokens: 8}\ndecoder: classification\nscores: logits\nlabels: [calm, alarm]\n"),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, file), content, 0o600))
	}
	return dir
}

func TestModelCheckOfText(t *testing.T) {
	orttest.Library(t)
	dir := moodModel(t)
	out, err := run(t, "model", "check", dir, "--text", "The HOTTEST béaring!", "--runs", "2")
	require.NoError(t, err)
	for _, text := range []string{
		"kind       NLP_ANALYSIS\n", "input      text, up to 8 tokens of vocab.txt, cased false\n", "stages     to tensor ", "answer     alarm, confidence 0.998\n",
	} {
		assert.Contains(t, out, text)
	}
	out, err = run(t, "model", "check", dir, "--text", "fine, fine, fine, fine; and what follows is cut: hot hot hot hot")
	require.NoError(t, err)
	assert.Contains(t, out, "answer     calm, confidence 1.000\n")
	out, err = run(t, "model", "check", dir, "--text", "so what")
	require.NoError(t, err)
	assert.Contains(t, out, "confidence 0.500: little more than chance. Are input.vocabulary, cased and the order of labels as in training?")

	require.NoError(t, os.Remove(filepath.Join(dir, "model.yaml")))
	out, err = run(t, "model", "check", dir)
	require.ErrorContains(t, err, "there is no model.yaml")
	assert.Contains(t, out, "kind: NLP_ANALYSIS\ninput:\n  type: text\n  max_tokens: 8\n")
	assert.Contains(t, out, `"input_ids", int64 [1 8]`)
}

func TestModelCheckOfTextNamesWhatIsWrong(t *testing.T) {
	orttest.Library(t)
	for says, change := range map[string]func(dir string) error{
		"put the model's vocab.txt beside model.yaml":             func(dir string) error { return os.Remove(filepath.Join(dir, "vocab.txt")) },
		"needed is the vocab.txt of a BERT model, one piece a li": func(dir string) error { return os.WriteFile(filepath.Join(dir, "vocab.txt"), []byte("{}"), 0o600) },
		"model.yaml makes [1 9]: correct input.max_tokens": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "model.yaml"), []byte("kind: NLP_ANALYSIS\ninput: {type: text, max_tokens: 9}\ndecoder: classification\nlabels: [calm, alarm]\n"), 0o600)
		},
	} {
		dir := moodModel(t)
		require.NoError(t, change(dir))
		_, err := run(t, "model", "check", dir, "--text", "hot")
		assert.ErrorContains(t, err, says)
	}
}
