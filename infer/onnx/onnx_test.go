// SPDX-License-Identifier: Apache-2.0

package onnx_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"edgex-offload/infer/onnx"
	"edgex-offload/infer/onnx/onnxpb"
	"edgex-offload/infer/onnx/onnxtest"
)

// files are the shipped graphs and, where they are, the samples.
func files(tb testing.TB) map[string][]byte {
	tb.Helper()
	found := map[string][]byte{}
	for _, pattern := range []string{"../../models/*/*/model.onnx", "../../models/policy/*.onnx", "../../../shared/samples/*.onnx"} {
		paths, err := filepath.Glob(pattern)
		require.NoError(tb, err)
		for _, path := range paths {
			data, err := os.ReadFile(path)
			require.NoError(tb, err)
			found[path] = data
		}
	}
	return found
}

func TestRealFilesSurvive(t *testing.T) {
	for path, data := range files(t) {
		m, err := onnx.Parse(data)
		require.NoError(t, err, path)
		assert.Len(t, m.Inputs(), 1, path)
		again, err := m.Marshal()
		require.NoError(t, err)
		var before, after onnxpb.ModelProto
		require.NoError(t, proto.Unmarshal(data, &before))
		require.NoError(t, proto.Unmarshal(again, &after))
		assert.True(t, proto.Equal(&before, &after), path)
	}
}

func TestUnknownFieldsSurvive(t *testing.T) {
	data := onnxtest.Bytes(onnxtest.ConvBNRelu(1, 8, 2))
	extra := protowire.AppendString(protowire.AppendTag(nil, 900, protowire.BytesType), "of a newer version")
	m, err := onnx.Parse(append(data, extra...))
	require.NoError(t, err)
	assert.Equal(t, append(data, extra...), onnxtest.Bytes(m))
}

func TestMobileNetV2HasItsSize(t *testing.T) {
	m := onnxtest.MobileNetV2(1)
	weights := 0
	for _, w := range m.Graph().GetInitializer() {
		weights += len(w.GetRawData()) / 4
	}
	assert.InDelta(t, 3.5e6, weights, 5e4)
	adds := 0
	for _, n := range m.Graph().GetNode() {
		if n.GetOpType() == "Add" {
			adds++
		}
	}
	assert.Equal(t, 10, adds, "residual blocks")
	assert.Equal(t, onnxtest.Bytes(m), onnxtest.Bytes(onnxtest.MobileNetV2(1)), "the same each time")
}
