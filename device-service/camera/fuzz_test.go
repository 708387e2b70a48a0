// SPDX-License-Identifier: Apache-2.0

package camera

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/device-service/source"
)

// FuzzMultipart reads whatever a camera may send. It must end, keep within the limits and
// give only what the stream holds.
func FuzzMultipart(f *testing.F) {
	good := photo(f, 16, 16)
	part := func(header string, body []byte) []byte {
		return append([]byte("--frame\r\n"+header+"\r\n"), append(bytes.Clone(body), "\r\n"...)...)
	}
	f.Add([]byte{}, "frame")
	f.Add(bytes.Repeat(part(length(good), good), 2), "frame")
	f.Add(part("", good), "--frame")
	f.Add(append(part("Content-Length: 99999999999\r\n", good), part("", good)...), "")
	f.Add(append(part("Content-Length: -1\r\n", append(good, good...)), "--frame--\r\n"...), "frame")
	f.Add([]byte("--frame\n\n\xff\xd8\xff\xd8\xff\xff\xd9"), "frame")
	f.Fuzz(func(t *testing.T, sent []byte, boundary string) {
		small := Limits{Bytes: 4096, Pixels: 1 << 20}
		m := newMultipart(bytes.NewReader(sent), boundary, small)
		for range len(sent) + 2 {
			frame, _, err := m.next()
			if rejection := (*source.Rejection)(nil); errors.As(err, &rejection) {
				continue
			}
			if err != nil {
				return
			}
			if len(frame) > small.Bytes {
				t.Fatalf("%d bytes: allowed are %d", len(frame), small.Bytes)
			}
			_ = small.Check(frame)
		}
		t.Fatal("does not end")
	})
}

// FuzzScan holds that what is cut out of a stream is the JPEG, to the byte.
func FuzzScan(f *testing.F) {
	f.Add(photo(f, 16, 16), []byte("--frame"))
	f.Add([]byte("\xff\xd8\xff\xd9"), []byte{0xFF, 0xD8})
	f.Fuzz(func(t *testing.T, jpg, after []byte) {
		r := bufio.NewReader(bytes.NewReader(append(bytes.Clone(jpg), after...)))
		frame, err := Limits{Bytes: 1 << 20, Pixels: 1 << 20}.scan(r)
		if err != nil {
			return
		}
		if !bytes.HasPrefix(frame, []byte{0xFF, 0xD8}) || !bytes.HasSuffix(frame, []byte{0xFF, 0xD9}) {
			t.Fatalf("% x", frame)
		}
		if !bytes.Contains(append(bytes.Clone(jpg), after...), frame[2:]) {
			t.Fatal("not what was sent")
		}
	})
}

// FuzzDigest reads challenges.
func FuzzDigest(f *testing.F) {
	f.Add(`Digest realm="a, \"b\"", nonce=c, qop="auth"`)
	f.Add(`Digest nonce="x", algorithm=SHA-256-sess`)
	f.Add(`Basic`)
	f.Fuzz(func(t *testing.T, challenge string) {
		authorize, err := challenged([]string{challenge})
		if err != nil {
			return
		}
		if header := authorize("GET", "/", "user", "password"); bytes.ContainsAny([]byte(header), "\r\n") {
			t.Fatalf("%q", header)
		}
	})
}

func TestScanWithAThumbnailRestartsAndProgressive(t *testing.T) {
	inner, outer := photo(t, 16, 16), photo(t, 64, 64)
	// An APP1 segment that holds a whole JPEG, as EXIF does, after the start marker.
	segment := append([]byte{0xFF, 0xE1, byte((len(inner) + 2) >> 8), byte(len(inner) + 2)}, inner...)
	exif := append(append([]byte{0xFF, 0xD8}, segment...), outer[2:]...)
	for name, frame := range map[string][]byte{"plain": outer, "with a thumbnail": exif} {
		t.Run(name, func(t *testing.T) {
			for _, buffer := range []int{16, 100, 1 << 16} {
				r := bufio.NewReaderSize(io.MultiReader(bytes.NewReader(frame), bytes.NewReader([]byte("tail"))), buffer)
				got, err := limits.scan(r)
				require.NoError(t, err)
				assert.Equal(t, frame, got)
				rest, err := io.ReadAll(r)
				require.NoError(t, err)
				assert.Equal(t, "tail", string(rest))
				_, err = jpeg.Decode(bytes.NewReader(got))
				require.NoError(t, err)
			}
		})
	}
}

// ffmpeg can begin a frame within a frame that it left unfinished.
func TestScanBeginsAnewAtAStartMarker(t *testing.T) {
	frame := photo(t, 16, 16)
	unfinished := frame[:len(frame)-20]
	got, err := limits.scan(bufio.NewReader(bytes.NewReader(append(bytes.Clone(unfinished), frame...))))
	require.NoError(t, err)
	assert.Equal(t, frame, got)
}

func TestBoundaries(t *testing.T) {
	for contentType, want := range map[string]string{
		`multipart/x-mixed-replace;boundary=frame`:               "frame",
		`multipart/x-mixed-replace; boundary="--my boundary"`:    "--my boundary",
		`multipart/x-mixed-replace; boundary=--foo@bar`:          "--foo@bar",
		`Multipart/X-Mixed-Replace`:                              "",
		`multipart/x-mixed-replace; boundary=BoundaryString; ,;`: "BoundaryString",
	} {
		got, err := boundaryOf(contentType)
		if want != "BoundaryString" {
			require.NoError(t, err, contentType)
			assert.Equal(t, want, got)
		}
	}
	_, err := boundaryOf("image/jpeg")
	assert.ErrorContains(t, err, "Kind snapshot")

	frame := photo(t, 16, 16)
	for _, test := range []struct{ declared, sent string }{
		{"frame", "--frame"}, {"--frame", "--frame"}, {"--frame", "----frame"}, {"", "--whatever"}, {"frame", "--frame  "},
	} {
		m := newMultipart(bytes.NewReader(fmt.Appendf(nil, "%s\r\n%s\r\n%s", test.sent, length(frame), frame)), test.declared, limits)
		got, _, err := m.next()
		require.NoError(t, err, "%+v", test)
		assert.Equal(t, frame, got)
	}
}
