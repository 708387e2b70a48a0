// SPDX-License-Identifier: Apache-2.0

package cascade

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/offload"
)

func people(tb testing.TB) string {
	tb.Helper()
	text, err := os.ReadFile("testdata/people.yaml")
	require.NoError(tb, err)
	return string(text)
}

func parsed(tb testing.TB, text string) *Cascade {
	tb.Helper()
	c, err := Parse("test", []byte(text))
	require.NoError(tb, err)
	return c
}

func names(stages []Stage) []string {
	var all []string
	for _, s := range stages {
		all = append(all, s.Name)
	}
	return all
}

func TestLoadFillsInDefaults(t *testing.T) {
	c, err := Load("testdata/people.yaml")
	require.NoError(t, err)
	assert.Equal(t, "people", c.Name)
	assert.Equal(t, []string{"faces", "picture", "heads", "who"}, names(c.Stages))
	assert.Equal(t, []string{"faces", "who"}, c.Output)
	assert.Equal(t, offload.ObjectDetection, c.Kind())
	assert.Equal(t, 100, c.Stages[0].MaxObjects)
	assert.Equal(t, Stage{
		Name: "heads", Does: Crop, Needs: []string{"picture", "faces"}, Labels: []string{"face"},
		Margin: .1, MinSize: 16, MaxCrops: 8, Format: JPEG,
	}, c.Stages[2])
	way, sum := c.LongestPath()
	assert.Equal(t, []string{"faces", "picture", "heads", "who"}, way)
	assert.InDelta(t, 1, sum, 1e-9)
	_, err = Load(filepath.Join(t.TempDir(), "none.yaml"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// Stages may be written in any order.
func TestStagesAreSorted(t *testing.T) {
	c := parsed(t, `
stages:
  - {name: who, does: classify, model: m, needs: [heads]}
  - {name: heads, does: crop, needs: [picture, faces]}
  - {name: faces, does: detect, model: f}
  - {name: picture, does: decode}
output: [who]
`)
	assert.Equal(t, []string{"faces", "picture", "heads", "who"}, names(c.Stages))
	assert.Equal(t, "test", c.Name, "of the file")
}

func TestDefaultShares(t *testing.T) {
	// Two stages along each way without a share; the shortest rest counts.
	c := parsed(t, `
stages:
  - {name: cars, does: detect, model: a}
  - {name: picture, does: decode, share: 0.1}
  - {name: cut, does: crop, needs: [picture, cars]}
  - {name: kind, does: classify, model: b, needs: [cut]}
  - {name: plates, does: detect, model: c, needs: [cut], share: 0.3}
  - {name: cut2, does: crop, needs: [picture, plates]}
  - {name: text, does: classify, model: d, needs: [cut2]}
output: [kind, text]
`)
	shares := map[string]float64{}
	for _, s := range c.Stages {
		shares[s.Name] = s.Share
	}
	// Along picture, cut, plates, cut2, text: (1 - .1 - .3) for text alone; along cars, cut,
	// plates, cut2, text: (1 - .3)/2.
	assert.InDelta(t, .35, shares["cars"], 1e-9)
	assert.InDelta(t, .35, shares["text"], 1e-9)
	assert.InDelta(t, .5, shares["kind"], 1e-9)
	assert.InDelta(t, .1, shares["picture"], 1e-9)
	assert.Zero(t, shares["cut"])
}

func TestParseNamesLineKeyValueAndAllowed(t *testing.T) {
	text := people(t)
	for name, c := range map[string]struct{ replace, with, want string }{
		"unknown key":          {"does: decode", "dose: decode", `line 6: unknown key "stages[1].dose": allowed here are name, does, needs, share, model`},
		"unknown top key":      {"output:", "outputs:", `line 9: unknown key "outputs": allowed here are name, description, stages, output`},
		"wrong type":           {"margin: 0.1", "margin: much", `line 7: stages[2].margin is "much": allowed is a finite number`},
		"does":                 {"does: crop", "does: cut", `line 7: stages[2].does is "cut": allowed is decode, detect, crop, classify`},
		"name":                 {"name: people", "name: a/b", `line 2: name is "a/b": allowed is 1 to 32 of a-z`},
		"stage's name":         {"name: heads", `name: ""`, `line 7: stages[2].name is "": allowed is 1 to 32`},
		"name twice":           {"name: picture, does: decode", "name: faces, does: decode", `line 6: stages[1].name is "faces", as another stage's`},
		"unknown need":         {"needs: [heads]", "needs: [hands]", `line 8: stages[3].needs[0] is "hands": allowed are the stages faces, picture, heads, who`},
		"need twice":           {"needs: [heads]", "needs: [heads, heads]", `line 8: stages[3].needs[1] is "heads": it is there twice`},
		"cycle":                {"does: detect, model: faces", "does: detect, model: faces, needs: [heads]", "line 4: stages go in a circle, each needs the one before: faces → picture → heads → faces: take one of these needs out"},
		"needs itself":         {"needs: [faces]", "needs: [picture]", "picture → picture"},
		"classify of objects":  {"needs: [heads]", "needs: [faces]", `line 8: stages[3].needs is [faces (detect)]: allowed for a stage that does classify is none for the picture as it came, the decode stage`},
		"crop without picture": {"needs: [picture, faces]", "needs: [faces]", `line 7: stages[2].needs is [faces (detect)]: allowed for a stage that does crop is the decode stage and one detect stage`},
		"crop without objects": {"needs: [picture, faces]", "needs: [picture]", `line 7: stages[2].needs is [picture (decode)]: allowed for a stage that does crop`},
		"decode of crops":      {"needs: [faces]", "needs: [who]", "go in a circle"},
		"two pictures":         {"output:", "  - {name: more, does: decode}\noutput:", "line 4: stages has the decode stages picture, more: allowed is one"},
		"nobody needs it":      {"output:", "  - {name: more, does: classify, model: m}\noutput:", `line 9: stages[4].name "more": no stage needs it and output does not list it`},
		"no model":             {"model: faces, ", "", `line 5: stages[0].model is "": allowed is the name of a model`},
		"no output":            {"output: [faces, who]", "", "output is empty: allowed is a list of faces, who"},
		"output of crops":      {"[faces, who]", "[heads]", `line 9: output[0] is "heads": allowed is a list of faces, who`},
		"output twice":         {"[faces, who]", "[who, who]", `line 9: output[1] is "who": it is there twice`},
		"shares":               {"share: 0.5, priority", "share: 0.6, priority", "line 8: stages[3].share: along faces → picture → heads → who the shares add up to 1.1: allowed is up to 1"},
		"no share left":        {"share: 0.5}", "share: 1}", "line 8: stages[3].share: along faces"},
		"nothing left":         {"share: 0.5, priority", "priority", ""},
		"negative share":       {"share: 0.5}", "share: -0.5}", "line 5: stages[0].share is -0.5: allowed is 0 to 1"},
		"zero share":           {"share: 0.5}", "share: 0}", "line 5: stages[0].share is 0, or what the others leave: allowed for a stage with a model is 0.01 to 1"},
		"priority":             {"priority: HIGH", "priority: NOW", `line 8: stages[3].priority: "NOW": allowed are LOW, MEDIUM, HIGH, CRITICAL`},
		"key of others":        {"does: decode", "does: decode, model: m", `line 6: stages[1].model: not for a stage that does decode: allowed beside name, does, needs and share are none`},
		"margin":               {"margin: 0.1", "margin: 3", "line 7: stages[2].margin is 3: allowed is 0 to 2"},
		"min_size":             {"min_size: 16", "min_size: 0", "line 7: stages[2].min_size is 0: allowed is 1 to 10000 pixels"},
		"max_crops":            {"min_size: 16", "max_crops: 65", "line 7: stages[2].max_crops is 65: allowed is 1 to 64, each is a task"},
		"format":               {"min_size: 16", "format: gif", `line 7: stages[2].format is "gif": allowed is jpeg, png`},
		"max_objects":          {"share: 0.5}", "max_objects: 0}", "line 5: stages[0].max_objects is 0: allowed is 1 to 1000"},
		"alias":                {"description: who is at the gate", "description: &x y\noutput: *x", "line 4: output: alias *x: aliases are not allowed"},
		"null":                 {"model: who", "model: ~", `line 8: stages[3].model is "~": allowed is text`},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, text, c.replace)
			_, err := Parse("test", []byte(strings.Replace(text, c.replace, c.with, 1)))
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
	for _, text := range []string{"", "stages: []", "[a]", "just text", ":\n:"} {
		_, err := Parse("test", []byte(text))
		assert.Error(t, err, "%q", text)
	}
	_, err := Parse("test", make([]byte, maxFileBytes+1))
	require.ErrorContains(t, err, "allowed are up to")
}

func TestTooManyStages(t *testing.T) {
	text := "stages:\n"
	for i := range MaxStages + 1 {
		text += fmt.Sprintf("  - {name: s%d, does: classify, model: m}\n", i)
	}
	_, err := Parse("test", []byte(text+"output: [s0]\n"))
	require.ErrorContains(t, err, "line 1: stages is 17 long: allowed is 1 to 16 stages")
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(people(f)))
	f.Add([]byte("stages: [{name: a, does: detect, model: m, needs: [b]}, {name: b, does: crop, needs: [a, c]}, {name: c, does: decode, needs: [a]}]\noutput: [a]"))
	f.Add([]byte("stages: [{name: a, does: classify, model: m, share: .nan}]\noutput: [a]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse("test", data)
		if err != nil {
			return
		}
		require.LessOrEqual(t, len(c.Stages), MaxStages)
		at := map[string]int{}
		for i, s := range c.Stages {
			for _, need := range s.Needs {
				_, there := at[need]
				require.True(t, there, "%s comes before what it needs", s.Name)
			}
			at[s.Name] = i
		}
		_, sum := c.LongestPath()
		require.True(t, sum > 0 && sum <= 1+1e-6, "%v", sum)
	})
}
