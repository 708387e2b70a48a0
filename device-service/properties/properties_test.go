// SPDX-License-Identifier: Apache-2.0

package properties

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestValuesComeAsNumbersOrAsText(t *testing.T) {
	for _, values := range []map[string]any{
		{"N": 5, "F": 2.5, "B": true, "D": "1500ms", "T": "x", "U": "http://cam:81/a?b=c"},
		{"N": float64(5), "F": "2.5", "B": "true", "D": "1.5s", "T": "x", "U": "http://cam:81/a?b=c"},
		{"N": "5", "F": float32(2.5), "B": "1", "D": "1500ms", "T": "x", "U": "http://cam:81/a?b=c"},
	} {
		p := Read("camera", values)
		assert.EqualValues(t, 5, p.Integer("N", 0, 0, 10))
		assert.InDelta(t, 2.5, p.Number("F", 0, 0, 10), 0)
		assert.True(t, p.Bool("B", false))
		assert.Equal(t, 1500*time.Millisecond, p.Duration("D", 0, 0, time.Minute))
		assert.Equal(t, "x", p.OneOf("T", "y", "x"))
		assert.Equal(t, "cam:81", p.URL("U", "http").Host)
		require.NoError(t, p.Err())
	}
}

func TestWhatIsLeftOutHasItsDefault(t *testing.T) {
	p := Read("camera", map[string]any{"N": "", "F": nil})
	assert.EqualValues(t, 7, p.Integer("N", 7, 0, 10))
	assert.InDelta(t, 1.5, p.Number("F", 1.5, 0, 10), 0)
	assert.True(t, p.Bool("B", true))
	assert.Equal(t, "y", p.OneOf("T", "y", "x"))
	require.NoError(t, p.Err())
}

func TestErrorsNameKeyValueAndWhatIsAllowed(t *testing.T) {
	for _, test := range []struct {
		name   string
		values map[string]any
		read   func(*Reader)
		want   string
	}{
		{"number", map[string]any{"F": "fast"}, func(p *Reader) { p.Number("F", 0, 0, 240) }, `camera.F: "fast": allowed is a number from 0 to 240`},
		{"not a number", map[string]any{"F": "NaN"}, func(p *Reader) { p.Number("F", 0, 0, 240) }, `camera.F: "NaN"`},
		{"range", map[string]any{"N": 11}, func(p *Reader) { p.Integer("N", 0, 0, 10) }, `camera.N: "11": allowed is a whole number from 0 to 10`},
		{"fraction", map[string]any{"N": 1.5}, func(p *Reader) { p.Integer("N", 0, 0, 10) }, `camera.N: "1.5"`},
		{"bool", map[string]any{"B": "maybe"}, func(p *Reader) { p.Bool("B", false) }, `camera.B: "maybe": allowed are true and false`},
		{"duration", map[string]any{"D": "10"}, func(p *Reader) { p.Duration("D", 0, 0, time.Minute) }, `camera.D: "10": allowed is a time such as 500ms or 10s, from 0s to 1m0s`},
		{"one of", map[string]any{"T": "z"}, func(p *Reader) { p.OneOf("T", "y", "x") }, `camera.T: "z": allowed are y, x`},
		{"missing", nil, func(p *Reader) { p.Required("Path") }, `camera.Path: is missing`},
		{"scheme", map[string]any{"U": "ftp://cam"}, func(p *Reader) { p.URL("U", "http", "https") }, `camera.U: "ftp://cam": allowed is http:// or https://host…`},
		{"host", map[string]any{"U": "http:///x"}, func(p *Reader) { p.URL("U", "http") }, `camera.U: "http:///x"`},
		{"misspelt", map[string]any{"Pth": "/x"}, func(p *Reader) { p.Text("Path", "") }, `camera.Pth is not known: allowed are Path`},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := Read("camera", test.values)
			test.read(p)
			assert.ErrorContains(t, p.Err(), test.want)
		})
	}
}

func TestAWrongChoiceHidesNoKeysBehindIt(t *testing.T) {
	p := Read("camera", map[string]any{"Kind": "rtsp", "URL": "x"})
	assert.Empty(t, p.Choice("Kind", "folder", "mjpeg"))
	assert.EqualError(t, p.Err(), `camera.Kind: "rtsp": allowed are folder, mjpeg`)
}

func TestNoErrorShowsAPassword(t *testing.T) {
	for _, address := range []string{"http://root:geheim@cam/x", "ftp://root:geheim@cam/x", "http://root:geheim@cam:port"} {
		p := Read("camera", map[string]any{"URL": address})
		p.URL("URL", "http")
		require.Error(t, p.Err())
		assert.NotContains(t, p.Err().Error(), "geheim")
	}
}

func TestAFingerprintTellsChangesFromOtherSpellings(t *testing.T) {
	of := func(values map[string]any) string { return Fingerprint(map[string]map[string]any{"camera": values}) }
	assert.Equal(t, of(map[string]any{"A": 5, "B": true}), of(map[string]any{"B": "true", "A": float64(5)}))
	assert.NotEqual(t, of(map[string]any{"A": 5}), of(map[string]any{"A": 6}))
	assert.NotEqual(t, of(map[string]any{"A": "x y"}), of(map[string]any{"A": "x", "y": ""}))
}
