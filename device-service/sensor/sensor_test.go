// SPDX-License-Identifier: Apache-2.0

package sensor

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"edgex-offload/device-service/source"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

type quiet struct{}

func (quiet) Infof(string, ...any) {}
func (quiet) Warnf(string, ...any) {}

// watch runs a sensor under a supervisor until the test ends.
func watch(t *testing.T, spec source.Spec) (*source.Supervisor, <-chan source.Sample, <-chan source.Status) {
	t.Helper()
	samples, states := make(chan source.Sample, 1000), make(chan source.Status, 1000)
	s := source.New("sensor", spec.Source, source.Options{
		Rate: spec.Rate, FreeRate: spec.FreeRate, Enabled: spec.Enabled, Silence: spec.Silence,
		FailuresToDown: 2, RetryMin: time.Millisecond, RetryMax: 20 * time.Millisecond, Rand: func() float64 { return 0.5 },
		Deliver: func(s source.Sample) { samples <- s },
		Changed: func(s source.Status) {
			select {
			case states <- s:
			default:
			}
		},
		Log: quiet{},
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-done })
	return s, samples, states
}

func TestTheMachineTellsWindowsAndTheTruth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spec, err := NewMachine(map[string]any{"WindowRate": 4, "Seed": 3})
		require.NoError(t, err)
		_, samples, _ := watch(t, spec)
		time.Sleep(10*time.Second + time.Millisecond)
		synctest.Wait()
		require.Len(t, samples, 41)
		truths := map[string]bool{}
		for range 41 {
			s := <-samples
			assert.Len(t, s.Value, 4*3*1024)
			assert.Equal(t, "3x1024", s.Shape)
			truths[s.Truth] = true
		}
		assert.NotContains(t, truths, "")
		assert.Greater(t, len(truths), 1)
	})
}

func TestWhatIsWrongWithAMachine(t *testing.T) {
	_, err := NewMachine(map[string]any{"WindowRate": 0})
	assert.ErrorContains(t, err, `machine.WindowRate: "0": allowed is a number from 0.001 to 240`)
	_, err = NewMachine(map[string]any{"FrameRate": 1})
	assert.ErrorContains(t, err, "machine.FrameRate is not known: allowed are Enabled, Seed, WindowRate")
}

func TestPaths(t *testing.T) {
	for path, want := range map[string][]string{
		"": nil, "$": nil, "a": {"a"}, "$.a.b": {"a", "b"}, "a[2].b": {"a", "2", "b"}, "[0][1]": nil, "a.0": {"a", "0"},
	} {
		got, err := ParsePath(path)
		if path == "[0][1]" {
			assert.ErrorContains(t, err, "allowed are keys and indices")
			continue
		}
		require.NoError(t, err, path)
		assert.Equal(t, want, got, path)
	}
	_, err := ParsePath("a..b")
	assert.Error(t, err)
}

func TestDecode(t *testing.T) {
	floats := littleEndian([]float32{1, -2.5})
	for _, test := range []struct {
		name    string
		decoder Decoder
		payload string
		want    any
		fails   string
	}{
		{name: "raw number", decoder: Decoder{Type: "Float64"}, payload: " 21.5\n", want: 21.5},
		{name: "raw float32", decoder: Decoder{Type: "Float32"}, payload: "21.5", want: float32(21.5)},
		{name: "raw whole number", decoder: Decoder{Type: "Int64"}, payload: "-7", want: int64(-7)},
		{name: "raw bool", decoder: Decoder{Type: "Bool"}, payload: "true", want: true},
		{name: "raw text", decoder: Decoder{Type: "String"}, payload: " as is ", want: " as is "},
		{name: "raw bytes", decoder: Decoder{Type: "Binary"}, payload: "\x00\xff", want: []byte{0, 0xFF}},
		{name: "raw floats", decoder: Decoder{Type: "Binary", Float: true}, payload: string(floats), want: floats},
		{name: "raw list", decoder: Decoder{Type: "Float32Array"}, payload: "1, -2.5", want: []float32{1, -2.5}},
		{name: "raw object", decoder: Decoder{Type: "Object"}, payload: `{"a":1}`, want: map[string]any{"a": 1.0}},
		{name: "path", decoder: Decoder{Type: "Float64", JSON: true, Path: []string{"a", "1", "b"}}, payload: `{"a":[0,{"b":3}]}`, want: 3.0},
		{name: "number as text", decoder: Decoder{Type: "Float64", JSON: true}, payload: `"4.5"`, want: 4.5},
		{name: "text", decoder: Decoder{Type: "String", JSON: true, Path: []string{"t"}}, payload: `{"t":"\u00e4"}`, want: "ä"},
		{name: "JSON as text", decoder: Decoder{Type: "String", JSON: true, Path: []string{"t"}}, payload: `{"t":{"x":1}}`, want: `{"x":1}`},
		{name: "array to floats", decoder: Decoder{Type: "Binary", Float: true, JSON: true}, payload: `[1,-2.5]`, want: floats},
		{name: "base64", decoder: Decoder{Type: "Binary", JSON: true}, payload: `"AP8="`, want: []byte{0, 0xFF}},
		{name: "array", decoder: Decoder{Type: "Float32Array", JSON: true}, payload: `[1,-2.5]`, want: []float32{1, -2.5}},

		{name: "no number", decoder: Decoder{Type: "Float64"}, payload: "warm", fails: "warm"},
		{name: "not finite", decoder: Decoder{Type: "Float64"}, payload: "NaN", fails: "allowed is a finite number"},
		{name: "no UTF-8", decoder: Decoder{Type: "String"}, payload: "\xff", fails: "UTF-8"},
		{name: "half a float", decoder: Decoder{Type: "Binary", Float: true}, payload: "abc", fails: "multiples of 4"},
		{name: "no key", decoder: Decoder{Type: "Float64", JSON: true, Path: []string{"a", "b"}}, payload: `{"a":{}}`, fails: `at "a.b": there is no such key`},
		{name: "no item", decoder: Decoder{Type: "Float64", JSON: true, Path: []string{"2"}}, payload: `[1,2]`, fails: `index "2" of an array of 2`},
		{name: "no JSON", decoder: Decoder{Type: "Float64", JSON: true, Path: []string{"a"}}, payload: `{`, fails: "unexpected end"},
		{name: "no type", decoder: Decoder{Type: "Uint8Array"}, payload: `1`, fails: "allowed are Bool"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.decoder.Decode([]byte(test.payload))
			if test.fails != "" {
				assert.ErrorContains(t, err, test.fails)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
}

// FuzzDecode holds that what is decoded has the Go type of its value type.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"a":[1,{"b":"2"}]}`), "a[1].b", uint8(0), true, false)
	f.Add([]byte("1,2,3"), "", uint8(5), false, true)
	f.Add([]byte(strings.Repeat("[", 1000)), "0.0", uint8(6), true, true)
	f.Fuzz(func(t *testing.T, payload []byte, path string, kind uint8, isJSON, float bool) {
		parts, err := ParsePath(path)
		if err != nil {
			return
		}
		d := Decoder{Type: ValueTypes()[int(kind)%len(ValueTypes())], Float: float, JSON: isJSON, Path: parts}
		value, err := d.Decode(payload)
		if err != nil {
			return
		}
		switch d.Type {
		case "Float64":
			if number := value.(float64); math.IsNaN(number) || math.IsInf(number, 0) {
				t.Fatal(number)
			}
		case "Binary":
			if bytes, ok := value.([]byte); !ok || float && len(bytes)%4 != 0 {
				t.Fatalf("%T", value)
			}
		case "Object":
			if _, err := json.Marshal(value); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// FuzzBoundedConn holds that no packet beyond the bound is let through, however the bytes
// are cut.
func FuzzBoundedConn(f *testing.F) {
	f.Add([]byte{0x30, 3, 1, 2, 3, 0x30, 0x80, 0x80, 0x01}, uint8(1))
	f.Add([]byte{0xD0, 0, 0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F}, uint8(3))
	f.Fuzz(func(t *testing.T, sent []byte, piece uint8) {
		const most = 500
		c := &boundedConn{most: most}
		var ended bool
		for chunk := sent; len(chunk) > 0 && !ended; {
			n := min(int(piece)+1, len(chunk))
			ended = c.follow(chunk[:n]) != nil
			chunk = chunk[n:]
		}
		if ended != announcesMore(sent, most) {
			t.Fatalf("% x", sent)
		}
	})
}

// announcesMore reads the packets of b at one go.
func announcesMore(b []byte, most int) bool {
	for r := bytes.NewReader(b); ; {
		if _, err := r.ReadByte(); err != nil {
			return false
		}
		length := 0
		for shift := 0; ; shift += 7 {
			digit, err := r.ReadByte()
			if err != nil {
				return false
			}
			if length |= int(digit&0x7F) << shift; length > most || shift > 21 {
				return true
			}
			if digit&0x80 == 0 {
				break
			}
		}
		if _, err := r.Seek(int64(length), 1); err != nil || r.Len() == 0 {
			return false
		}
	}
}
