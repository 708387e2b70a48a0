// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"strings"
)

// array writes a NumPy file piece by piece (the format's version 1.0:
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
type array struct {
	file *os.File
	buf  *bufio.Writer
}

// createArray begins an array of the shape in C order; kind is NumPy's name of its
// values, as in "|u1" or "<f4".
func createArray(path, kind string, shape ...int) (*array, error) {
	sizes := strings.Trim(strings.Join(strings.Fields(fmt.Sprint(shape)), ", "), "[]")
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s,), }", kind, sizes)
	const before = 10 // magic, version and the header's length
	for (before+len(header)+1)%64 != 0 {
		header += " "
	}
	header += "\n"
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	a := &array{file: file, buf: bufio.NewWriterSize(file, 1<<20)}
	a.write([]byte("\x93NUMPY\x01\x00"))
	a.write(binary.LittleEndian.AppendUint16(nil, uint16(len(header))))
	a.write([]byte(header))
	return a, nil
}

// write adds values; an error stays in the buffer until close returns it.
func (a *array) write(values []byte) { _, _ = a.buf.Write(values) }

func (a *array) close() error {
	if err := a.buf.Flush(); err != nil {
		a.file.Close()
		return err
	}
	return a.file.Close()
}
