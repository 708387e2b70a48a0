// SPDX-License-Identifier: Apache-2.0

package camera

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"strconv"
	"strings"
	"time"
)

// Bounds of what a camera may send around its frames.
const (
	maxHeaderBytes = 16 << 10
	maxHeaderLines = 64
	// Between two parts there are a few bytes, or, after a broken frame, the rest of it.
	maxJunkFrames = 4
	streamBuffer  = 64 << 10
)

// multipart reads the frames of a multipart/x-mixed-replace stream. A part whose length
// is stated is read by it; one without by the structure of the JPEG. In neither case is a
// frame held back until the next one begins, as it would be with mime/multipart.
type multipart struct {
	r        *bufio.Reader
	boundary []byte // without the dashes in front, of which cameras write any number
	limits   Limits
	discard  int64 // bytes of a part that was too large
}

func newMultipart(body io.Reader, boundary string, limits Limits) *multipart {
	return &multipart{
		r: bufio.NewReaderSize(body, streamBuffer), boundary: []byte(strings.TrimLeft(boundary, "-")), limits: limits,
	}
}

// boundaryOf takes the boundary out of a Content-Type; it may be empty, which stands for
// any.
func boundaryOf(contentType string) (string, error) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err == nil && kind == "multipart/x-mixed-replace" {
		return params["boundary"], nil
	}
	// Some cameras write boundaries that need quotes without them.
	kind, rest, _ := strings.Cut(contentType, ";")
	if !strings.EqualFold(strings.TrimSpace(kind), "multipart/x-mixed-replace") {
		return "", fmt.Errorf("content type %q: allowed is multipart/x-mixed-replace (Kind snapshot is for single pictures)", shorten(contentType))
	}
	_, boundary, _ := strings.Cut(rest, "boundary=")
	return strings.Trim(strings.TrimSpace(boundary), `"`), nil
}

// next is the next frame and when it began to arrive. After a *source.Rejection it can be
// called again; every other error is the stream's.
func (m *multipart) next() ([]byte, time.Time, error) {
	if m.discard > 0 {
		n := m.discard
		m.discard = 0
		if _, err := io.CopyN(io.Discard, m.r, n); err != nil {
			return nil, time.Time{}, noEOF(err)
		}
	}
	if err := m.seek(); err != nil {
		return nil, time.Time{}, err
	}
	length, err := m.header()
	if err != nil {
		return nil, time.Time{}, err
	}
	at := time.Now()
	frame, err := m.body(length)
	return frame, at, err
}

// seek reads on until after the next boundary.
func (m *multipart) seek() error {
	most := streamBuffer + maxJunkFrames*m.limits.Bytes
	for read, lineStart := 0, true; read < most; {
		line, err := m.r.ReadSlice('\n')
		whole := err == nil
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
		if lineStart {
			found, closing := m.isBoundary(line)
			if closing {
				return io.EOF
			}
			if found {
				return nil
			}
		}
		read += len(line)
		lineStart = whole
	}
	return fmt.Errorf("no boundary %q within %d bytes", shorten(string(m.boundary)), most)
}

func (m *multipart) isBoundary(line []byte) (found, closing bool) {
	line = bytes.TrimRight(line, " \t\r\n")
	bare := bytes.TrimLeft(line, "-")
	if len(line)-len(bare) < 2 || !bytes.HasPrefix(bare, m.boundary) {
		return false, false
	}
	rest := bare[len(m.boundary):]
	if len(m.boundary) == 0 { // any word after dashes
		return len(bare) > 0, false
	}
	return len(rest) == 0, bytes.Equal(rest, []byte("--"))
}

// header reads the header of a part and returns its Content-Length, or -1.
func (m *multipart) header() (int64, error) {
	length, size := int64(-1), 0
	for range maxHeaderLines {
		line, err := m.r.ReadSlice('\n')
		if size += len(line); errors.Is(err, bufio.ErrBufferFull) || size > maxHeaderBytes {
			return 0, fmt.Errorf("header of a frame: more than %d bytes", maxHeaderBytes)
		}
		if err != nil {
			return 0, noEOF(err)
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			return length, nil
		}
		key, value, _ := bytes.Cut(line, []byte(":"))
		if bytes.EqualFold(bytes.TrimSpace(key), []byte("Content-Length")) {
			if n, err := strconv.ParseInt(string(bytes.TrimSpace(value)), 10, 64); err == nil && n > 0 {
				length = n
			}
		}
	}
	return 0, fmt.Errorf("header of a frame: more than %d lines", maxHeaderLines)
}

func (m *multipart) body(length int64) ([]byte, error) {
	if length < 0 {
		return m.limits.scan(m.r)
	}
	if length > int64(m.limits.Bytes) {
		m.discard = length
		return nil, m.limits.tooLarge(length)
	}
	frame := make([]byte, length)
	_, err := io.ReadFull(m.r, frame)
	return frame, noEOF(err)
}

// shorten keeps what comes from outside at a length that can be read in a log.
func shorten(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
