// SPDX-License-Identifier: Apache-2.0

package picture

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/jpeg"
	"image/png"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func encodePNG(tb testing.TB, img image.Image) []byte {
	tb.Helper()
	var b bytes.Buffer
	require.NoError(tb, png.Encode(&b, img))
	return b.Bytes()
}

func encodeJPEG(tb testing.TB, img image.Image) []byte {
	tb.Helper()
	var b bytes.Buffer
	require.NoError(tb, jpeg.Encode(&b, img, nil))
	return b.Bytes()
}

// pngOf is a PNG that says it has this size and holds no pixels.
func pngOf(w, h uint32) []byte {
	head := append([]byte("IHDR"), binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)...)
	head = append(head, 8, 2, 0, 0, 0)
	b := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	b = append(b, head...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(head))
}

func TestDecode(t *testing.T) {
	img := quarters(16, 12)
	for _, payload := range [][]byte{encodePNG(t, img), encodeJPEG(t, img)} {
		got, err := Decode(payload)
		require.NoError(t, err)
		assert.Equal(t, image.Rect(0, 0, 16, 12), got.Bounds())
	}
	deep := image.NewRGBA64(image.Rect(0, 0, 3, 3))
	got, err := Decode(encodePNG(t, deep))
	require.NoError(t, err)
	assert.Equal(t, deep.Rect, got.Bounds())

	whole := encodeJPEG(t, img)
	cases := []struct {
		name    string
		payload []byte
		want    string
	}{
		{"nothing", nil, "empty payload"},
		{"text", []byte("hello"), "begins with 68 65 6c 6c: allowed is a JPEG"},
		{"short", []byte{0xff}, "begins with ff: allowed"},
		{"half a JPEG", whole[:len(whole)/2], "JPEG of"},
		{"JPEG's beginning", whole[:4], "JPEG of 4 bytes"},
		{"half a PNG", encodePNG(t, img)[:60], "PNG of 60 bytes"},
		{"bomb", pngOf(100_000, 100_000), "PNG of 100000 x 100000 pixels: allowed are 1 to"},
		{"wide bomb", pngOf(math.MaxInt32, math.MaxInt32), "PNG of"},
		{"no pixels", pngOf(0, 10), "PNG of"},
		{"endless passes", append(whole[:len(whole):len(whole)], bytes.Repeat([]byte("\xff\xda"), 100)...), "101 scans: allowed are up to 64"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Decode(c.payload)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func FuzzDecodeAndFill(f *testing.F) {
	f.Add(encodePNG(f, quarters(5, 7)))
	f.Add(encodeJPEG(f, quarters(17, 9)))
	f.Add(encodePNG(f, image.NewGray16(image.Rect(0, 0, 3, 3))))
	f.Add(pngOf(1, 1))
	f.Fuzz(func(t *testing.T, payload []byte) {
		img, err := Decode(payload)
		if err != nil {
			return
		}
		o := plain(9, 5)
		o.Fit = Letterbox
		got, _ := fill(t, o, img)
		for _, v := range got {
			if v < -.01 || v > 255.01 {
				t.Fatalf("%v", v)
			}
		}
	})
}
