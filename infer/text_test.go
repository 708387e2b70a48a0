// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/offload"
)

// plainGraph keeps what it is fed and gives what it is told.
type plainGraph struct {
	inputs []Port
	sizes  []int
	out    Tensor
	fed    [][]float32
}

func (g *plainGraph) About() About { return About{Inputs: g.inputs} }
func (g *plainGraph) Close() error { return nil }

func (g *plainGraph) Run(_ context.Context, _ int, fill func([][]float32) error, read func([]Tensor) error) error {
	g.fed = nil
	for _, n := range g.sizes {
		in := make([]float32, n)
		for i := range in {
			in[i] = -1 // whatever was there before
		}
		g.fed = append(g.fed, in)
	}
	if err := fill(g.fed); err != nil {
		return err
	}
	return read([]Tensor{g.out})
}

func parsed(t *testing.T, text string) Spec {
	t.Helper()
	s, err := ParseSpec("m", []byte(text))
	require.NoError(t, err)
	return s
}

const mood = "kind: NLP_ANALYSIS\ninput: {type: text, max_tokens: 6}\ndecoder: classification\nlabels: [calm, alarm]\n"

func vocabularyDir(t *testing.T, pieces string) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "vocab.txt"), []byte(pieces), 0o600))
	return dir
}

func askText(t *testing.T, s Spec, dir string, g *plainGraph, payload []byte) (offload.Answer, error) {
	t.Helper()
	p, err := newPipeline(s, dir, g.inputs)
	require.NoError(t, err)
	return p.answer(context.Background(), g, offload.Task{Kind: s.TaskKind(), Payload: payload, Context: map[string]string{"content-type": s.contentType()}})
}

func (s Spec) contentType() string {
	return map[string]string{"text": "text/plain; charset=utf-8", "signal": SignalType}[s.Input.Type]
}

func TestATextIsFedToTheInputsByTheirNames(t *testing.T) {
	dir := vocabularyDir(t, "[PAD]\n[UNK]\n[CLS]\n[SEP]\nhot\n!\n")
	for _, names := range [][]string{
		{"token_type_ids", "input_ids", "attention_mask"},
		{"segment_ids:0", "input_ids:0", "input_mask:0"},
		{"input_type_ids", "input_word_ids", "input_mask"},
	} {
		g := &plainGraph{sizes: []int{6, 6, 6}, out: Tensor{Shape: []int64{1, 2}, Data: []float32{0, 3}}}
		for _, n := range names {
			g.inputs = append(g.inputs, Port{Name: n})
		}
		got, err := askText(t, parsed(t, mood), dir, g, []byte("HOT!"))
		require.NoError(t, err)
		assert.Equal(t, "alarm", got.Label)
		assert.Equal(t, [][]float32{{0, 0, 0, 0, 0, 0}, {2, 4, 5, 3, 0, 0}, {1, 1, 1, 1, 0, 0}}, g.fed, "%v", names)
	}
	g := &plainGraph{inputs: []Port{{Name: "tokens"}}, sizes: []int{6}, out: Tensor{Shape: []int64{1, 2}, Data: []float32{0, 3}}}
	_, err := askText(t, parsed(t, strings.Replace(mood, "type: text", "type: text, name: tokens", 1)), dir, g, []byte("hot"))
	require.NoError(t, err)
	assert.Equal(t, [][]float32{{2, 4, 3, 0, 0, 0}}, g.fed)
}

func TestWhatIsNoTextIsRefused(t *testing.T) {
	dir := vocabularyDir(t, "[PAD]\n[UNK]\n[CLS]\n[SEP]\n")
	for says, payload := range map[string]string{"payload is empty": "", "payload is not UTF-8": "\xff\xfe"} {
		g := &plainGraph{inputs: []Port{{Name: "input_ids"}}, sizes: []int{6}}
		_, err := askText(t, parsed(t, mood), dir, g, []byte(payload))
		require.ErrorContains(t, err, says)
		assert.ErrorIs(t, err, ErrInput)
	}
	_, err := newPipeline(parsed(t, mood), t.TempDir(), nil)
	assert.ErrorContains(t, err, "put the model's vocab.txt beside model.yaml")
	_, err = newPipeline(parsed(t, mood), vocabularyDir(t, "hot\n"), nil)
	assert.ErrorContains(t, err, "input.vocabulary vocab.txt: 1 pieces without ")
}

func TestFeedsOfAText(t *testing.T) {
	feeds := parsed(t, mood).Input.Feeds()
	require.Len(t, feeds, 3)
	assert.Equal(t, []bool{false, true, true}, []bool{feeds[0].Optional, feeds[1].Optional, feeds[2].Optional})
	for _, f := range feeds {
		assert.Equal(t, []int64{1, 6}, f.Shape)
	}
	assert.True(t, feeds[1].Is("input_mask") && !feeds[1].Is("input_ids"))
}

func TestAReconstructionIsComparedWithWhatWasFed(t *testing.T) {
	s := parsed(t, "kind: ANOMALY_DETECTION\ninput: {type: signal, shape: [2], scale: 2}\ndecoder: anomaly\nanomaly: {threshold: 1, reconstruction: absolute}")
	g := &plainGraph{inputs: []Port{{Name: "x"}}, sizes: []int{2}, out: Tensor{Shape: []int64{1, 2}, Data: []float32{2, 8}}}
	got, err := askText(t, s, "", g, floats(1, 2))
	require.NoError(t, err)
	assert.Equal(t, offload.Answer{Label: "anomaly", Confidence: 2. / 3, Values: []offload.Value{{Label: "score", Value: 2}}}, got)
}

func TestARegressionAnswersWithValues(t *testing.T) {
	s := parsed(t, "kind: REGRESSION\ninput: {type: signal, shape: [1]}\ndecoder: regression\nregression: {units: [mm], offset: [1]}\nlabels: [wear]")
	g := &plainGraph{inputs: []Port{{Name: "x"}}, sizes: []int{1}, out: Tensor{Shape: []int64{1, 1}, Data: []float32{.5}}}
	got, err := askText(t, s, "", g, floats(1))
	require.NoError(t, err)
	assert.Equal(t, offload.Answer{Values: []offload.Value{{Label: "wear", Value: 1.5, Unit: "mm"}}}, got)
}

func TestStagesAreMeasuredForWhoAsks(t *testing.T) {
	s := parsed(t, "kind: REGRESSION\ninput: {type: image, width: 1, height: 1, color: GRAY}\ndecoder: regression\nlabels: [age]")
	g := &plainGraph{inputs: []Port{{Name: "x"}}, sizes: []int{1}, out: Tensor{Shape: []int64{1, 1}, Data: []float32{.5}}}
	p, err := newPipeline(s, "", g.inputs)
	require.NoError(t, err)
	var stages Stages
	_, err = p.answer(WithStages(context.Background(), &stages), g, offload.Task{Kind: s.TaskKind(), Payload: pixel(t)})
	require.NoError(t, err)
	assert.NotZero(t, stages)
}
