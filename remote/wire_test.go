// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"edgex-offload/offload"
)

// oldWire is the wire as it was first defined, built here field by field, so that no
// change of edge_ai.proto can pass these tests unseen.
type oldWire struct {
	request, response protoreflect.MessageDescriptor
}

func newOldWire(t *testing.T) oldWire {
	t.Helper()
	field := func(name string, number int32, kind descriptorpb.FieldDescriptorProto_Type) *descriptorpb.FieldDescriptorProto {
		return &descriptorpb.FieldDescriptorProto{
			Name: proto.String(name), Number: proto.Int32(number), Type: kind.Enum(),
			Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
		}
	}
	enum := func(name string, values ...string) *descriptorpb.EnumDescriptorProto {
		e := &descriptorpb.EnumDescriptorProto{Name: proto.String(name)}
		for i, v := range values {
			e.Value = append(e.Value, &descriptorpb.EnumValueDescriptorProto{Name: proto.String(v), Number: proto.Int32(int32(i))})
		}
		return e
	}
	kind := field("type", 2, descriptorpb.FieldDescriptorProto_TYPE_ENUM)
	kind.TypeName = proto.String(".old.TaskType")
	priority := field("priority", 4, descriptorpb.FieldDescriptorProto_TYPE_ENUM)
	priority.TypeName = proto.String(".old.Priority")
	entries := field("context", 6, descriptorpb.FieldDescriptorProto_TYPE_MESSAGE)
	entries.Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
	entries.TypeName = proto.String(".old.TaskRequest.ContextEntry")
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("old.proto"), Package: proto.String("old"), Syntax: proto.String("proto3"),
		EnumType: []*descriptorpb.EnumDescriptorProto{
			enum("TaskType", "IMAGE_CLASSIFICATION", "OBJECT_DETECTION", "NLP_ANALYSIS"),
			enum("Priority", "LOW", "MEDIUM", "HIGH", "CRITICAL"),
		},
		MessageType: []*descriptorpb.DescriptorProto{
			{
				Name: proto.String("TaskRequest"),
				Field: []*descriptorpb.FieldDescriptorProto{
					field("id", 1, descriptorpb.FieldDescriptorProto_TYPE_STRING), kind,
					field("payload", 3, descriptorpb.FieldDescriptorProto_TYPE_BYTES), priority,
					field("deadline_unix_nano", 5, descriptorpb.FieldDescriptorProto_TYPE_INT64), entries,
				},
				NestedType: []*descriptorpb.DescriptorProto{{
					Name: proto.String("ContextEntry"),
					Field: []*descriptorpb.FieldDescriptorProto{
						field("key", 1, descriptorpb.FieldDescriptorProto_TYPE_STRING),
						field("value", 2, descriptorpb.FieldDescriptorProto_TYPE_STRING),
					},
					Options: &descriptorpb.MessageOptions{MapEntry: proto.Bool(true)},
				}},
			},
			{
				Name: proto.String("TaskResponse"),
				Field: []*descriptorpb.FieldDescriptorProto{
					field("task_id", 1, descriptorpb.FieldDescriptorProto_TYPE_STRING),
					field("success", 2, descriptorpb.FieldDescriptorProto_TYPE_BOOL),
					field("output", 3, descriptorpb.FieldDescriptorProto_TYPE_BYTES),
					field("error_message", 4, descriptorpb.FieldDescriptorProto_TYPE_STRING),
					field("processed_by", 5, descriptorpb.FieldDescriptorProto_TYPE_STRING),
					field("duration_nano", 6, descriptorpb.FieldDescriptorProto_TYPE_INT64),
				},
			},
		},
	}, nil)
	require.NoError(t, err)
	return oldWire{file.Messages().ByName("TaskRequest"), file.Messages().ByName("TaskResponse")}
}

func set(m *dynamicpb.Message, name string, value any) {
	m.Set(m.Descriptor().Fields().ByName(protoreflect.Name(name)), protoreflect.ValueOf(value))
}

func get(m *dynamicpb.Message, name string) protoreflect.Value {
	return m.Get(m.Descriptor().Fields().ByName(protoreflect.Name(name)))
}

// oldTask is what a client of the first wire sends.
func (w oldWire) task() *dynamicpb.Message {
	m := dynamicpb.NewMessage(w.request)
	set(m, "id", "old-1")
	set(m, "type", protoreflect.EnumNumber(1))
	set(m, "payload", []byte("a picture"))
	set(m, "priority", protoreflect.EnumNumber(3))
	set(m, "deadline_unix_nano", int64(4102444800000000000)) // the year 2100
	entries := m.NewField(w.request.Fields().ByName("context"))
	entries.Map().Set(protoreflect.ValueOfString("model").MapKey(), protoreflect.ValueOfString("faces"))
	m.Set(w.request.Fields().ByName("context"), entries)
	return m
}

func TestClientOfTheFirstWireWorksWithOurServer(t *testing.T) {
	wire := newOldWire(t)
	got := make(chan offload.Task, 1)
	_, address := serve(t, ServerConfig{Name: "cloud-1", Models: modelFunc(func(_ context.Context, task offload.Task) (offload.Answer, error) {
		got <- task
		return offload.Answer{Label: "face", Confidence: .8, Model: "faces/1"}, nil
	})})
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer conn.Close()
	response := dynamicpb.NewMessage(wire.response)
	require.NoError(t, conn.Invoke(soon(t), "/edge_ai.EdgeAIService/OffloadTask", wire.task(), response, grpc.WaitForReady(true)))

	assert.Equal(t, "old-1", get(response, "task_id").String())
	assert.True(t, get(response, "success").Bool())
	assert.JSONEq(t, `{"label":"face","confidence":0.8,"model":"faces/1"}`, string(get(response, "output").Bytes()))
	assert.Equal(t, "cloud-1", get(response, "processed_by").String())
	assert.Positive(t, get(response, "duration_nano").Int())
	seen := <-got
	assert.Equal(t, offload.ObjectDetection, seen.Kind)
	assert.Equal(t, offload.Critical, seen.Priority)
	assert.Equal(t, "faces", seen.Model)
	assert.Equal(t, "a picture", string(seen.Payload))
}

// serveOld runs a server that knows the first wire alone, and no Probe.
func (w oldWire) serve(t *testing.T, answer func(request, response *dynamicpb.Message) error) string {
	t.Helper()
	handle := func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		request, response := dynamicpb.NewMessage(w.request), dynamicpb.NewMessage(w.response)
		if err := decode(request); err != nil {
			return nil, err
		}
		return response, answer(request, response)
	}
	server := grpc.NewServer()
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "edge_ai.EdgeAIService", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "OffloadTask", Handler: handle}},
	}, struct{}{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() { server.Stop(); require.NoError(t, <-ended) })
	return listener.Addr().String()
}

func TestServerOfTheFirstWireWorksWithOurClient(t *testing.T) {
	wire := newOldWire(t)
	got := make(chan *dynamicpb.Message, 1)
	client := dialed(t, ClientConfig{Address: wire.serve(t, func(request, response *dynamicpb.Message) error {
		got <- request
		set(response, "task_id", get(request, "id").String())
		set(response, "success", true)
		set(response, "output", []byte("cat"))
		set(response, "processed_by", "old-cloud")
		set(response, "duration_nano", int64(1))
		return nil
	})})

	_, err := client.Probe(soon(t))
	require.NoError(t, err, "UNIMPLEMENTED came back over the link: that is a round trip")
	reply, err := client.Offload(soon(t), task("t1"), nil)
	require.NoError(t, err)
	assert.Equal(t, offload.Answer{Label: "cat"}, reply.Answer)
	assert.Equal(t, "old-cloud", reply.ProcessedBy)
	assert.EqualValues(t, 1, reply.Execution)
	request := <-got
	assert.Equal(t, "t1", get(request, "id").String())
	assert.Equal(t, protoreflect.EnumNumber(2), get(request, "priority").Enum())
	assert.Equal(t, "a picture", string(get(request, "payload").Bytes()))
	assert.NotContains(t, request.String(), "secret", "the truth never travels")
	assert.Equal(t, "surface", get(request, "context").Map().Get(protoreflect.ValueOfString("model").MapKey()).String())
}

// What a server may say that is no answer.
func TestAnswersThatAreNone(t *testing.T) {
	wire := newOldWire(t)
	for name, c := range map[string]struct {
		answer func(*dynamicpb.Message)
		class  Class
		code   codes.Code
		reason string
	}{
		"of another task": {func(m *dynamicpb.Message) { set(m, "task_id", "t2"); set(m, "success", true) }, BadAnswer, codes.OK, `task "t1" was answered as task_id "t2"`},
		"failed":          {func(m *dynamicpb.Message) { set(m, "error_message", "no GPU") }, Failed, codes.OK, "no GPU"},
		"failed, no word": {func(*dynamicpb.Message) {}, Failed, codes.OK, "without an error_message"},
		"empty":           {func(m *dynamicpb.Message) { set(m, "success", true) }, BadAnswer, codes.OK, "output: empty"},
		"binary":          {func(m *dynamicpb.Message) { set(m, "success", true); set(m, "output", []byte{0, 1, 0xff}) }, BadAnswer, codes.OK, "neither JSON with a label nor a short text"},
		"large":           {func(m *dynamicpb.Message) { set(m, "success", true); set(m, "output", make([]byte, MaxOutputBytes+1)) }, BadAnswer, codes.OK, "1048577 bytes: allowed is up to 1048576"},
		"beyond the message limit": {
			func(m *dynamicpb.Message) { set(m, "success", true); set(m, "output", make([]byte, 3<<20)) },
			BadAnswer, codes.ResourceExhausted, "received message larger than max",
		},
	} {
		t.Run(name, func(t *testing.T) {
			client := dialed(t, ClientConfig{MessageLimit: 2 << 20, Address: wire.serve(t, func(request, response *dynamicpb.Message) error {
				set(response, "task_id", get(request, "id").String())
				c.answer(response)
				return nil
			})})
			_, err := client.Offload(soon(t), task("t1"), nil)
			requireError(t, err, c.class, c.code, c.reason)
			assert.True(t, LinkWorks(err))
		})
	}
}

func TestTimesThatCannotBeAreUnknown(t *testing.T) {
	wire := newOldWire(t)
	for _, nanos := range []int64{-1, 1 << 62} {
		client := dialed(t, ClientConfig{Address: wire.serve(t, func(request, response *dynamicpb.Message) error {
			set(response, "task_id", get(request, "id").String())
			set(response, "success", true)
			set(response, "output", []byte(`{"label":"good","confidence":1}`))
			set(response, "duration_nano", nanos)
			return nil
		})})
		reply, err := client.Offload(soon(t), task("t1"), nil)
		require.NoError(t, err, "the answer is worth no less")
		assert.Equal(t, "good", reply.Answer.Label)
		assert.Zero(t, reply.Execution)
		assert.True(t, reply.Implausible)
	}
}
