// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"google.golang.org/grpc/mem"

	"edgex-offload/infer/oip/inference"
)

// Request is a ModelInferRequest on the client's side. Head is the message without its raw
// contents, encoded: it is the same for each call.
type Request struct {
	Head []byte
	// Raw contents in the order of the inputs.
	Raw [][]byte
	// Owner, when set, is told for how long the transport needs Raw, which may be longer than
	// the call takes. Without one Raw must not be changed any more.
	Owner Owner
}

// Owner of memory that a transport reads. Each Hold is followed by one Release.
type Owner interface {
	Hold()
	Release()
}

// returned tells an owner when a buffer is free.
type returned struct{ owner Owner }

func (r returned) Put(*[]byte) { r.owner.Release() }

func (r returned) Get(length int) *[]byte {
	b := make([]byte, length) // of mem.BufferPool, and not used here
	return &b
}

// marshal makes the message's bytes. A content that is too small to be worth a buffer of
// its own is copied.
func (r *Request) marshal() mem.BufferSlice {
	out := make(mem.BufferSlice, 0, 1+2*len(r.Raw))
	out = append(out, mem.SliceBuffer(r.Head))
	for i := range r.Raw {
		content := &r.Raw[i]
		front := lead(nil, requestRaw, len(*content))
		switch {
		case r.Owner == nil:
			out = append(out, mem.SliceBuffer(front), mem.SliceBuffer(*content))
		case mem.IsBelowBufferPoolingThreshold(cap(*content)): // it would not be given back
			out = append(out, mem.SliceBuffer(append(front, *content...)))
		default:
			r.Owner.Hold()
			out = append(out, mem.SliceBuffer(front), mem.NewBuffer(content, returned{r.Owner}))
		}
	}
	return out
}

// Response is a ModelInferResponse on the client's side. Its Raw contents are parts of the
// bytes that came and good until Free.
type Response struct {
	Message inference.ModelInferResponse
	Raw     [][]byte
	buffer  mem.Buffer
}

// Free lets go of the bytes. The Response can be used again.
func (r *Response) Free() {
	if r.buffer == nil {
		return
	}
	r.buffer.Free()
	r.buffer = nil
	clear(r.Raw)
	r.Raw = r.Raw[:0]
	r.Message.Reset()
}
