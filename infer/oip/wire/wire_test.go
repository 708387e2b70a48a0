// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"math"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/encoding/protowire"
	pb "google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"edgex-offload/infer/oip/inference"
)

func TestValuesThatATypeHoldsComeBack(t *testing.T) {
	for _, d := range types() {
		t.Run(string(d.datatype), func(t *testing.T) {
			values := []float32{0, 1}
			if d.size > 1 || d.datatype == Uint8 {
				values = append(values, 100)
			}
			if !d.whole || d.datatype[0] == 'I' {
				values = append(values, -7)
			}
			if !d.whole {
				values = append(values, .5, -.25)
			}
			if d.datatype == Bool {
				values = values[:2]
			}
			raw, got := make([]byte, len(values)*d.size), make([]float32, len(values))
			Put(raw, d.datatype, values)
			Get(got, d.datatype, raw)
			assert.Equal(t, values, got)
			contents, ok := Contents(d.datatype, values)
			require.Equal(t, d.datatype != FP16 && d.datatype != BF16, ok)
			if !ok {
				assert.ErrorContains(t, GetContents(got, d.datatype, contents), "raw contents alone")
				return
			}
			clear(got)
			require.NoError(t, GetContents(got, d.datatype, contents))
			assert.Equal(t, values, got)
			assert.ErrorContains(t, GetContents(got[1:], d.datatype, contents), "needed are")
			assert.Equal(t, d.datatype, OfPort(d.datatype.Port()))
		})
	}
	assert.False(t, Datatype("BYTES").Known())
	assert.Equal(t, "BYTES", Datatype("BYTES").Port())
	assert.Equal(t, Datatype("string"), OfPort("string"))
}

func TestWhatATypeCannotHoldBecomesItsNearestEnd(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, c := range []struct {
		d        Datatype
		in, want float32
	}{
		{Uint8, -1, 0},
		{Uint8, 255.4, 255},
		{Uint8, 1e30, 255},
		{Uint8, nan, 0},
		{Uint8, 2.5, 2},
		{Uint8, 3.5, 4},
		{Int8, -1e30, -128},
		{Int8, 127.6, 127},
		{Int8, nan, 0},
		{Int8, -2.5, -2},
		{Int64, inf, math.MaxInt64},
		{Int64, -inf, math.MinInt64},
		{Uint64, inf, math.MaxUint64},
		{Uint32, inf, math.MaxUint32},
		{Int32, 2147483648, math.MaxInt32},
		{Bool, nan, 1},
		{Bool, -3, 1},
		{FP16, 70000, inf},
		{FP16, 1e-9, 0},
		{BF16, 1.00390625, 1},
		{BF16, inf, inf},
		{FP64, 1e30, 1e30},
	} {
		raw, got := make([]byte, c.d.Size()), make([]float32, 1)
		Put(raw, c.d, []float32{c.in})
		Get(got, c.d, raw)
		assert.Equal(t, c.want, got[0], "%s %v", c.d, c.in)
	}
	raw, got := make([]byte, 2), make([]float32, 1)
	for _, d := range []Datatype{FP16, BF16} {
		Put(raw, d, []float32{nan})
		Get(got, d, raw)
		assert.True(t, math.IsNaN(float64(got[0])), d)
	}
}

func TestPlainFloatsAreTheirBytes(t *testing.T) {
	values := []float32{1, -2, 3.25}
	byValue := make([]byte, 12)
	put := putter(FP32)
	for i, v := range values {
		put(byValue[4*i:], v)
	}
	raw := make([]byte, 12)
	Put(raw, FP32, values)
	assert.Equal(t, byValue, raw)
	assert.Empty(t, Bytes(nil))
}

func TestElements(t *testing.T) {
	for _, c := range []struct {
		shape []int64
		n     int
		ok    bool
	}{
		{nil, 1, true},
		{[]int64{2, 3}, 6, true},
		{[]int64{0, 5}, 0, true},
		{[]int64{-1, 3}, 0, false},
		{[]int64{1 << 40, 1 << 40}, 0, false},
		{[]int64{101}, 0, false},
		{[]int64{0, math.MaxInt64}, 0, true},
	} {
		n, ok := Elements(c.shape, 100)
		assert.Equal(t, c.ok, ok, "%v", c.shape)
		if ok && c.n != 0 {
			assert.Equal(t, c.n, n, "%v", c.shape)
		}
	}
}

// owner counts.
type owner struct{ held, released int }

func (o *owner) Hold()    { o.held++ }
func (o *owner) Release() { o.released++ }

// golden is the request of testdata/request.txt, whose bytes protoc encoded:
//
//	protoc --encode=inference.ModelInferRequest inference/inference.proto < wire/testdata/request.txt > wire/testdata/request.bin
func golden(t *testing.T) (*inference.ModelInferRequest, []byte) {
	t.Helper()
	text, err := os.ReadFile("testdata/request.txt")
	require.NoError(t, err)
	m := &inference.ModelInferRequest{}
	require.NoError(t, prototext.Unmarshal(text, m))
	raw, err := os.ReadFile("testdata/request.bin")
	require.NoError(t, err)
	return m, raw
}

func TestRequestIsWhatProtocMakesOfIt(t *testing.T) {
	m, want := golden(t)
	head, err := pb.MarshalOptions{Deterministic: true}.Marshal(&inference.ModelInferRequest{
		ModelName: m.GetModelName(), ModelVersion: m.GetModelVersion(), Id: m.GetId(), Inputs: m.GetInputs(), Outputs: m.GetOutputs(),
	})
	require.NoError(t, err)
	var o owner
	for _, r := range []*Request{{Head: head, Raw: m.GetRawInputContents()}, {Head: head, Raw: m.GetRawInputContents(), Owner: &o}} {
		out, err := NewCodec(nil, 1<<20).Marshal(r)
		require.NoError(t, err)
		assert.Equal(t, want, out.Materialize())
		assert.Equal(t, o.released, 0)
		out.Free()
	}
	assert.Equal(t, owner{1, 1}, o, "of two contents the short one is copied")

	got := &inference.ModelInferRequest{}
	require.NoError(t, NewCodec(nil, 1<<20).Unmarshal(mem.BufferSlice{mem.SliceBuffer(want[:10]), mem.SliceBuffer(want[10:])}, got))
	assert.True(t, pb.Equal(m, got))
}

// The bytes in testdata are protoc's own; where it is installed they are made again.
func TestGoldenIsProtocs(t *testing.T) {
	protoc, err := exec.LookPath("protoc")
	if err != nil {
		t.Skip("no protoc: ", err)
	}
	text, err := os.Open("testdata/request.txt")
	require.NoError(t, err)
	defer text.Close()
	command := exec.CommandContext(t.Context(), protoc, "--encode=inference.ModelInferRequest", "-I", "../inference", "../inference/inference.proto")
	command.Stdin = text
	got, err := command.Output()
	require.NoError(t, err)
	_, want := golden(t)
	assert.True(t, bytes.Equal(want, got))
}

func TestResponseIsReadInPlaceAndFreed(t *testing.T) {
	sent := &inference.ModelInferResponse{
		ModelName: "m", Id: "7", Outputs: []*inference.ModelInferResponse_InferOutputTensor{{Name: "y", Datatype: "FP32", Shape: []int64{1, 2}}},
		RawOutputContents: [][]byte{{1, 2, 3, 4, 5, 6, 7, 8}},
	}
	codec := NewCodec(nil, 1<<20)
	out, err := codec.Marshal(sent)
	require.NoError(t, err)
	assert.Len(t, sent.GetRawOutputContents(), 1, "the message is as it was")
	plain := &inference.ModelInferResponse{}
	require.NoError(t, pb.Unmarshal(out.Materialize(), plain))
	assert.True(t, pb.Equal(sent, plain))
	var r Response
	for range 2 {
		require.NoError(t, codec.Unmarshal(out, &r))
		assert.Equal(t, sent.GetRawOutputContents(), r.Raw)
		assert.Equal(t, "y", r.Message.GetOutputs()[0].GetName())
	}
	r.Free()
	r.Free()
	assert.Empty(t, r.Raw)
	assert.Empty(t, r.Message.GetOutputs())
}

func TestMessagesThatWouldGrowAreRefused(t *testing.T) {
	many := func(number protowire.Number, n int, content []byte) []byte {
		var b []byte
		for range n {
			b = protowire.AppendBytes(protowire.AppendTag(b, number, protowire.BytesType), content)
		}
		return b
	}
	input := func(contents []byte) []byte { return many(5, 1, many(5, 1, contents)) }
	for name, c := range map[string]struct {
		message []byte
		want    string
	}{
		"raw":           {many(7, 65, nil), "more than 64 raw contents"},
		"empty inputs":  {many(5, 129, nil), "more than 128 tensors"},
		"parameters":    {many(4, 1<<14, []byte{10, 0}), "more than 1048576 bytes"},
		"int64":         {input(many(3, 1, make([]byte, 1<<17))), "send values as raw contents"},
		"bytes":         {input(many(8, 1<<15, nil)), "send values as raw contents"},
		"shape":         {many(5, 1, many(3, 1, make([]byte, 1<<18))), "send values as raw contents"},
		"not protobuf":  {[]byte{0xff}, "unexpected EOF"},
		"not an input":  {many(5, 1, []byte{0xff}), "unexpected EOF"},
		"unknown field": {many(99, 1<<13, nil), "more than 1048576 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			err := NewCodec(nil, 1<<20).Unmarshal(mem.BufferSlice{mem.SliceBuffer(c.message)}, &inference.ModelInferRequest{})
			assert.ErrorContains(t, err, c.want)
		})
	}
	fits := input(many(6, 1, make([]byte, 1_000_000)))
	require.NoError(t, NewCodec(nil, 1<<20).Unmarshal(mem.BufferSlice{mem.SliceBuffer(fits)}, &inference.ModelInferRequest{}))
}

func TestOtherMessagesGoToTheNextCodec(t *testing.T) {
	codec := NewCodec(nil, 1<<20)
	out, err := codec.Marshal(&inference.ModelReadyRequest{Name: "x"})
	require.NoError(t, err)
	got := &inference.ModelReadyRequest{}
	require.NoError(t, codec.Unmarshal(out, got))
	assert.Equal(t, "x", got.GetName())
}

// The codec reads what protobuf reads, and the same out of it.
func TestCodecAgreesWithProtobuf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &inference.ModelInferRequest{
			ModelName:        rapid.StringMatching("[a-z]{0,9}").Draw(t, "name"),
			RawInputContents: rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 2000), 0, 4).Draw(t, "raw"),
		}
		for range rapid.IntRange(0, 4).Draw(t, "inputs") {
			m.Inputs = append(m.Inputs, &inference.ModelInferRequest_InferInputTensor{
				Name: "x", Shape: rapid.SliceOfN(rapid.Int64(), 0, 5).Draw(t, "shape"),
				Contents: &inference.InferTensorContents{Int64Contents: rapid.SliceOfN(rapid.Int64(), 0, 9).Draw(t, "values")},
			})
		}
		raw, err := pb.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		got := &inference.ModelInferRequest{}
		if err := NewCodec(nil, 1<<20).Unmarshal(mem.BufferSlice{mem.SliceBuffer(raw)}, got); err != nil {
			t.Fatal(err)
		}
		if !pb.Equal(m, got) {
			t.Fatalf("%v became %v", m, got)
		}
	})
}

func FuzzUnmarshalRequest(f *testing.F) {
	// Short: the fuzzer takes each input that is new apart, byte by byte.
	raw, err := pb.Marshal(&inference.ModelInferRequest{
		ModelName: "m", RawInputContents: [][]byte{{1, 2}},
		Inputs: []*inference.ModelInferRequest_InferInputTensor{{Name: "x", Shape: []int64{1, 2}, Contents: &inference.InferTensorContents{Int64Contents: []int64{3}}}},
	})
	require.NoError(f, err)
	f.Add(raw)
	f.Add([]byte{0x2a, 0x02, 0x2a, 0x00, 0x3a, 0x00})
	f.Fuzz(func(t *testing.T, data []byte) {
		m := &inference.ModelInferRequest{}
		if NewCodec(nil, 1<<20).Unmarshal(mem.BufferSlice{mem.SliceBuffer(data)}, m) == nil && len(m.GetRawInputContents()) > MaxTensors {
			t.Fatal("too many raw contents")
		}
		var r Response
		_ = NewCodec(nil, 1<<20).Unmarshal(mem.BufferSlice{mem.SliceBuffer(data)}, &r)
		r.Free()
	})
}
