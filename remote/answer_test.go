// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	pb "google.golang.org/protobuf/proto"

	"edgex-offload/offload"
	"edgex-offload/remote/proto"
)

func TestParseAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		output string
		want   offload.Answer
		err    string
	}{
		"ours":          {`{"label":"good","confidence":0.5,"model":"surface-large/1"}`, offload.Answer{Label: "good", Confidence: .5, Model: "surface-large/1"}, ""},
		"later fields":  {`{"label":"good","confidence":0.5,"heat":[1,2]}`, offload.Answer{Label: "good", Confidence: .5}, ""},
		"nothing found": {`{"label":"","confidence":0,"model":"faces/1"}`, offload.Answer{Model: "faces/1"}, ""},
		"objects alone": {`{"objects":[{"label":"face","confidence":1,"x":-1,"y":2,"w":3,"h":4}]}`, offload.Answer{Objects: []offload.Object{{Label: "face", Confidence: 1, X: -1, Y: 2, W: 3, H: 4}}}, ""},
		"classes": {
			`{"objects":[{"label":"face","classes":[{"stage":"who","label":"ann","confidence":0.5,"model":"m/1","heat":1}]}]}`,
			offload.Answer{Objects: []offload.Object{{Label: "face", Classes: []offload.Class{{Stage: "who", Label: "ann", Confidence: .5, Model: "m/1"}}}}},
			"",
		},
		"class":               {`{"objects":[{"classes":[{},{"confidence":2}]}]}`, offload.Answer{}, "objects[0]: classes[1]: confidence 2: allowed is 0 to 1"},
		"too many classes":    {`{"objects":[{"classes":[{}` + strings.Repeat(",{}", MaxClasses) + `]}]}`, offload.Answer{}, "17 classes: allowed is up to 16"},
		"values":              {`{"label":"","values":[{"label":"wear","value":0.25,"unit":"mm"},{"label":"angle","value":-3}]}`, offload.Answer{Values: []offload.Value{{Label: "wear", Value: .25, Unit: "mm"}, {Label: "angle", Value: -3}}}, ""},
		"values alone":        {`{"values":[{"label":"wear","value":1}]}`, offload.Answer{Values: []offload.Value{{Label: "wear", Value: 1}}}, ""},
		"value of no name":    {`{"values":[{"label":"a","value":1},{"value":1}]}`, offload.Answer{}, "values[1]: label is empty"},
		"value of wrong type": {`{"values":[{"label":"a","value":"1"}]}`, offload.Answer{}, "JSON"},
		"unit":                {`{"values":[{"label":"a","value":1,"unit":"` + strings.Repeat("m", 33) + `"}]}`, offload.Answer{}, "values[0]: unit of 33 bytes: allowed is up to 32"},
		"too many values":     {`{"values":[{}` + strings.Repeat(",{}", MaxValues) + `]}`, offload.Answer{}, "1001 values: allowed is up to 1000"},
		"text":                {" cat\n", offload.Answer{Label: "cat"}, ""},
		"JSON text":           {`"große Katze"`, offload.Answer{Label: "große Katze"}, ""},
		"JSON of its own":     {`{"class":"cat"}`, offload.Answer{Label: `{"class":"cat"}`}, ""},
		"a number":            {`7`, offload.Answer{Label: "7"}, ""},
		"no JSON":             {`{"label":`, offload.Answer{Label: `{"label":`}, ""},
		"empty":               {"", offload.Answer{}, "empty"},
		"blank":               {" \n", offload.Answer{}, "empty"},
		"long text":           {strings.Repeat("x", 257), offload.Answer{}, "text of 257 bytes: allowed is up to 256"},
		"empty JSON text":     {`""`, offload.Answer{}, "text is empty"},
		"control characters":  {"a\x1b[2Jb", offload.Answer{}, "without control characters"},
		"label of wrong type": {`{"label":7}`, offload.Answer{}, "JSON"},
		"confidence":          {`{"label":"good","confidence":1.5}`, offload.Answer{}, "confidence 1.5: allowed is 0 to 1"},
		"not finite":          {`{"label":"good","confidence":1e99}`, offload.Answer{}, "JSON"},
		"label":               {`{"label":"` + strings.Repeat("x", 257) + `"}`, offload.Answer{}, "label of 257 bytes"},
		"model":               {`{"label":"good","model":"a\u0000b"}`, offload.Answer{}, "model"},
		"object":              {`{"label":"a","objects":[{},{"w":-1}]}`, offload.Answer{}, "objects[1]: w -1: allowed is 0 to"},
		"objects":             {`{"label":"a","objects":[{}` + strings.Repeat(",{}", MaxObjects) + `]}`, offload.Answer{}, "1001 objects: allowed is up to 1000"},
		"deep":                {`{"label":"a","x":` + strings.Repeat("[", 20000), offload.Answer{}, "allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseAnswer([]byte(c.output))
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				assert.Less(t, len(err.Error()), 400, "an error does not repeat what came")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestAValueThatIsNoNumberIsNotSent(t *testing.T) {
	for _, v := range []float64{math.NaN(), math.Inf(-1)} {
		err := CheckAnswer(offload.Answer{Values: []offload.Value{{Label: "wear", Value: v}}})
		assert.ErrorContains(t, err, "allowed is a finite number")
	}
}

func FuzzParseAnswer(f *testing.F) {
	for _, seed := range []string{`{"label":"good","confidence":0.5}`, `{"objects":[{"w":1}]}`, `{"values":[{"label":"a","value":1e308,"unit":"m"}]}`, "cat", `"x"`, "\xff", `{"label":1e999}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, output []byte) {
		answer, err := ParseAnswer(output)
		if err != nil {
			return
		}
		require.NoError(t, CheckAnswer(answer), "what is taken is within bounds")
		again, err := json.Marshal(answer)
		require.NoError(t, err)
		parsed, err := ParseAnswer(again)
		require.NoError(t, err)
		assert.Equal(t, answer.Label, parsed.Label)
		assert.Len(t, parsed.Objects, len(answer.Objects))
		assert.Len(t, parsed.Values, len(answer.Values))
	})
}

// FuzzResponse is what any server may send as a response.
func FuzzResponse(f *testing.F) {
	for _, r := range []*proto.TaskResponse{
		{TaskId: "t", Success: true, Output: []byte("cat"), DurationNano: 5, QueueNano: 1},
		{TaskId: "t", ErrorMessage: "no\x00way", DurationNano: -1},
		{TaskId: "x", ProcessedBy: strings.Repeat("p", 1000), QueueNano: 1 << 62, DurationNano: 1 << 62},
	} {
		raw, err := pb.Marshal(r)
		require.NoError(f, err)
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var response proto.TaskResponse
		if pb.Unmarshal(raw, &response) != nil {
			return
		}
		const elapsed = time.Second
		reply, err := newReply(offload.Task{ID: "t"}, &response, elapsed)
		assert.True(t, err != nil || CheckAnswer(reply.Answer) == nil)
		assert.True(t, reply.Execution >= 0 && reply.Queue >= 0 && reply.Execution+reply.Queue <= elapsed, "%v %v", reply.Execution, reply.Queue)
		assert.True(t, utf8.ValidString(reply.ProcessedBy) && len(reply.ProcessedBy) <= MaxLabelBytes+len("…"))
		assert.Less(t, len(fmt.Sprint(err)), 2000)
	})
}
