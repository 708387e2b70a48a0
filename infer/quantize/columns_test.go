// SPDX-License-Identifier: Apache-2.0

package quantize

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"google.golang.org/protobuf/proto"

	"edgex-offload/infer/onnx/onnxpb"
)

// A stride may be any number in the file, and the kernel of groups is as many columns wide.
func TestStridesOfGroupsAreBounded(t *testing.T) {
	for stride, want := range map[int64]bool{0: false, 1: true, 2: true, mostColumns: true, mostColumns + 1: false, 1 << 40: false} {
		node := &onnxpb.NodeProto{Attribute: []*onnxpb.AttributeProto{{Name: proto.String("strides"), Ints: []int64{1, stride}}}}
		c, is := columnsOf(node, []int64{16, 4, 1, 1}, []int64{1, 4, 1, 1}, []int64{1, 16, 1, 1})
		assert.Equal(t, want, is, "stride %d: %+v", stride, c)
	}
}
