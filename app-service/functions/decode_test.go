// SPDX-License-Identifier: Apache-2.0

package functions

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/edgexfoundry/app-functions-sdk-go/v3/pkg/interfaces"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/common"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos"
	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"
)

// The SDK hands over a dtos.Event where the service's target type is left at its default.
func TestDecodeEventTakesAnEventOfTheSDK(t *testing.T) {
	event := dtos.NewEvent("offload-camera", "camera-1", "Frame")
	event.AddBinaryReading("Frame", []byte{0xff, 0xd8}, "image/jpeg")
	ctx := testContext()
	more, data := goldenDecoder(t).DecodeEvent(ctx, event)
	require.True(t, more)
	require.Equal(t, event.Readings[0].Id, data.([]Job)[0].Task.ID)
	for key, want := range map[string]string{
		interfaces.DEVICENAME: "camera-1", interfaces.PROFILENAME: "offload-camera", interfaces.SOURCENAME: "Frame",
	} {
		got, _ := ctx.GetValue(key)
		require.Equal(t, want, got, key)
	}
}

func TestDecodeEventPassesOver(t *testing.T) {
	for name, c := range map[string]struct {
		data        any
		contentType string
		reason      string
	}{
		"other data":       {42, common.ContentTypeJSON, PassedMalformed},
		"no data":          {nil, common.ContentTypeJSON, PassedMalformed},
		"other content":    {[]byte("{}"), common.ContentTypeXML, PassedMalformed},
		"message too long": {make([]byte, 1<<20+1), common.ContentTypeCBOR, PassedTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			d := goldenDecoder(t)
			more, data := d.DecodeEvent(typedContext{testContext(), c.contentType}, c.data)
			require.False(t, more)
			require.Nil(t, data)
			require.Equal(t, map[string]uint64{c.reason: 1}, d.Passed())
		})
	}
}

func TestDecodeEventBoundsWhatIsDecodedAtOnce(t *testing.T) {
	d, err := NewDecoder(goldenRules(t), Limits{MessageBytes: 1 << 20, PayloadBytes: 1 << 20, Decoding: 1}, goldenNow)
	require.NoError(t, err)
	event := dtos.NewEvent("offload-camera", "camera-1", "Frame")
	event.AddBinaryReading("Frame", []byte{0xff, 0xd8}, "image/jpeg")
	d.decoding.Add(1) // one is under way
	more, _ := d.DecodeEvent(testContext(), event)
	require.False(t, more)
	require.Equal(t, map[string]uint64{PassedBusy: 1}, d.Passed())
	d.decoding.Add(-1)
	more, _ = d.DecodeEvent(testContext(), event)
	require.True(t, more, "the place is free again")
}

func TestSetRulesHoldsForTheNextMessage(t *testing.T) {
	d := goldenDecoder(t)
	event := dtos.NewEvent("p", "d", "Level")
	require.NoError(t, event.AddSimpleReading("Level", common.ValueTypeInt8, int8(1)))
	more, _ := d.DecodeEvent(testContext(), event)
	require.False(t, more)
	rules, err := NewRules(Rule{Name: "level", Resource: "Level", Model: "m"})
	require.NoError(t, err)
	d.SetRules(rules)
	more, data := d.DecodeEvent(testContext(), event)
	require.True(t, more)
	require.Equal(t, "m", data.([]Job)[0].Task.Model)
}

// FuzzDecodeEvent feeds bytes as a bus would. Whatever they are, nothing panics, each
// job is within the limits, and its context holds the known keys alone.
func FuzzDecodeEvent(f *testing.F) {
	cases, err := filepath.Glob("testdata/*/event.json")
	require.NoError(f, err)
	for _, name := range cases {
		text, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(text, false)
		var message map[string]any
		if json.Unmarshal(text, &message) == nil {
			again, err := cbor.Marshal(message)
			require.NoError(f, err)
			f.Add(again, true)
		}
	}
	d := goldenDecoder(f)
	allowed := []string{"content-type", "model", "shape", "source"}
	f.Fuzz(func(t *testing.T, message []byte, asCBOR bool) {
		contentType := common.ContentTypeJSON
		if asCBOR {
			contentType = common.ContentTypeCBOR
		}
		more, data := d.DecodeEvent(typedContext{testContext(), contentType}, message)
		if !more {
			require.Nil(t, data)
			return
		}
		jobs := data.([]Job)
		require.LessOrEqual(t, len(jobs), maxReadings)
		for _, job := range jobs {
			require.NotEmpty(t, job.Task.Payload)
			require.LessOrEqual(t, len(job.Task.Payload), d.limits.PayloadBytes)
			require.False(t, job.Task.Created.After(goldenNow()))
			for key := range maps.Keys(job.Task.Context) {
				require.True(t, slices.Contains(allowed, key), key)
			}
		}
	})
}
