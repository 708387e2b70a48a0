// SPDX-License-Identifier: Apache-2.0

package wire

import "strings"

// Datatype is the protocol's name of a tensor's type, as "FP32".
type Datatype string

// The data types that become float32 and back. BYTES, text, is none of them.
const (
	Bool   Datatype = "BOOL"
	Uint8  Datatype = "UINT8"
	Uint16 Datatype = "UINT16"
	Uint32 Datatype = "UINT32"
	Uint64 Datatype = "UINT64"
	Int8   Datatype = "INT8"
	Int16  Datatype = "INT16"
	Int32  Datatype = "INT32"
	Int64  Datatype = "INT64"
	FP16   Datatype = "FP16"
	BF16   Datatype = "BF16"
	FP32   Datatype = "FP32"
	FP64   Datatype = "FP64"
)

// Datatypes lists them, for errors.
func Datatypes() string {
	var names []string
	for _, t := range types() {
		names = append(names, string(t.datatype))
	}
	return strings.Join(names, ", ")
}

// typed is what is known of a data type: its name in an infer.Port and its bytes.
type typed struct {
	datatype Datatype
	port     string
	size     int
	whole    bool
}

func types() []typed {
	return []typed{
		{Bool, "bool", 1, true},
		{Uint8, "uint8", 1, true},
		{Uint16, "uint16", 2, true},
		{Uint32, "uint32", 4, true},
		{Uint64, "uint64", 8, true},
		{Int8, "int8", 1, true},
		{Int16, "int16", 2, true},
		{Int32, "int32", 4, true},
		{Int64, "int64", 8, true},
		{FP16, "float16", 2, false},
		{BF16, "bfloat16", 2, false},
		{FP32, "float32", 4, false},
		{FP64, "float64", 8, false},
	}
}

func (d Datatype) typed() typed {
	for _, t := range types() {
		if t.datatype == d {
			return t
		}
	}
	return typed{}
}

// Known says whether values of this type become float32 and back.
func (d Datatype) Known() bool { return d.Size() > 0 }

// Size of a value in bytes; 0 for a type that is not known.
func (d Datatype) Size() int { return d.typed().size }

// Whole says whether it holds whole numbers alone.
func (d Datatype) Whole() bool { return d.typed().whole }

// Port is the type's name in an infer.Port, as "float32"; one that is not known keeps its
// own.
func (d Datatype) Port() string {
	if t := d.typed(); t.size > 0 {
		return t.port
	}
	return string(d)
}

// OfPort is the data type of an infer.Port's type; one that has none keeps its name.
func OfPort(name string) Datatype {
	for _, t := range types() {
		if t.port == name {
			return t.datatype
		}
	}
	return Datatype(name)
}

// Elements is how many values a shape has; false where it has a negative dimension or more
// than most.
func Elements(shape []int64, most int) (int, bool) {
	n := 1
	for _, d := range shape {
		if d < 0 || n > 0 && d > int64(most)/int64(n) {
			return 0, false
		}
		n *= int(d)
	}
	return n, true
}
