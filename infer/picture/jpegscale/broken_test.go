// SPDX-License-Identifier: Apache-2.0

package jpegscale

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/infer/picture/picturetest"
)

func small420() picturetest.Variant {
	return picturetest.Variant{Width: 40, Height: 24, Factors: kinds()["420"], Quant: 20}
}

func decode(payload []byte) error {
	var d Decoder
	w, h, err := d.Read(payload)
	if err == nil {
		_, err = d.Planes(nil, w, h)
	}
	return err
}

func TestOtherKindsAreLeftToOthers(t *testing.T) {
	none, ycck := byte(0), byte(2)
	four := [][2]int{{1, 1}, {1, 1}, {1, 1}, {1, 1}}
	cases := map[string]func(*picturetest.Variant){
		"progressive": func(v *picturetest.Variant) { v.Progressive = true },
		"CMYK":        func(v *picturetest.Variant) { v.Factors, v.Adobe = four, &none },
		"YCCK":        func(v *picturetest.Variant) { v.Factors, v.Adobe = four, &ycck },
		"RGB":         func(v *picturetest.Variant) { v.Adobe = &none },
		"RGB by name": func(v *picturetest.Variant) { v.IDs = "RGB" },
		"two planes":  func(v *picturetest.Variant) { v.Factors = v.Factors[:2] },
		"larger chroma": func(v *picturetest.Variant) {
			v.Factors = [][2]int{{1, 1}, {2, 2}, {2, 2}}
		},
	}
	for name, with := range cases {
		v := small420()
		with(&v)
		require.ErrorIs(t, decode(v.Encode(texture)), ErrKind, name)
	}
}

// replace changes the first place where old stands.
func replace(payload []byte, old, new string) []byte {
	return bytes.Replace(payload, []byte(old), []byte(new), 1)
}

func TestBrokenPictures(t *testing.T) {
	v := small420()
	whole := v.Encode(texture)
	v.Restart = 2
	parts := v.Encode(texture)
	scan := bytes.Index(whole, []byte("\xff\xda"))
	cases := []struct {
		name    string
		payload []byte
		want    string
	}{
		{"nothing", nil, "does not begin"},
		{"no JPEG", []byte("GIF89a"), "does not begin"},
		{"beginning alone", whole[:2], "does not begin"},
		{"no marker", replace(whole, "\xff\xd8\xff", "\xff\xd8\x00"), "no marker"},
		{"segment beyond the end", whole[:40], "there are"},
		{"segment of 1", replace(whole, "\xff\xdb\x00\x83", "\xff\xdb\x00\x01"), "marker db of 1 bytes"},
		{"no width", replace(whole, "\x08\x00\x18\x00\x28", "\x08\x00\x18\x00\x00"), "0 x 24 pixels"},
		{"no height", replace(whole, "\x08\x00\x18\x00\x28", "\x08\x00\x00\x00\x28"), "40 x 0 pixels"},
		{"larger than its data", replace(whole, "\x08\x00\x18\x00\x28", "\x08\xff\xff\xff\xff"), "needed are at least"},
		{"12 bits", replace(whole, "\x08\x00\x18\x00\x28", "\x0c\x00\x18\x00\x28"), ErrKind.Error()},
		{"many blocks in an MCU", replace(whole, "\x31\x22", "\x31\x44"), "18 blocks in an MCU"},
		{"no such quantisation", replace(whole, "\x31\x22\x00", "\x31\x22\x01"), "a table that is not there"},
		{"no such Huffman table", replace(whole, "\xff\xda\x00\x0c\x03\x31\x00", "\xff\xda\x00\x0c\x03\x31\x10"), "a table that is not there"},
		{"quantisation cut", replace(whole, "\xff\xdb\x00\x83\x10", "\xff\xdb\x00\x83\x13"), "a table that is not there"},
		{"quantisation of 24 bits", replace(whole, "\xff\xdb\x00\x83\x10", "\xff\xdb\x00\x83\x20"), "DQT"},
		{"too many codes", replace(whole, "\xff\xc4\x00\x1f\x00\x00\x00\x00\x0c", "\xff\xc4\x00\x1f\x00\x03\x00\x00\x09"), "more codes of 1 bits"},
		{"codes without values", replace(whole, "\xff\xc4\x00\x1f\x00\x00\x00\x00\x0c", "\xff\xc4\x00\x1f\x00\x00\x00\x00\x0d"), "DHT of 13 values"},
		{"cut in the pixels", whole[:len(whole)-30], "end without a marker"},
		{"pixels missing", append(whole[:scan+14+4:scan+14+4], "\xff\xd9"...), "needed are at least"},
		{"pixels end too early", append(whole[:len(whole)-40:len(whole)-40], "\xff\xd9"...), errPast.Error()},
		{"a code that is none", append(whole[:scan+14:scan+14], append(bytes.Repeat([]byte("\xff\x00"), 100), "\xff\xd9"...)...), errCode.Error()},
		{"a second scan", append(whole[:len(whole)-2:len(whole)-2], whole[scan:]...), ErrKind.Error()},
		{"a restart where none is due", replace(parts, "\xff\xdd\x00\x04\x00\x02", "\xff\xdd\x00\x04\x00\x00"), "restart marker d0"},
		{"restarts in disorder", replace(parts, "\xff\xd0", "\xff\xd1"), "restart marker d1"},
		{"a restart missing", replace(parts, "\xff\xd0", ""), "restart marker d1"},
		{"restarts said and not there", replace(parts, "\xff\xdd\x00\x04\x00\x02", "\xff\xdd\x00\x04\x00\x01"), "parts between restart markers: needed are 6"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			assert.ErrorContains(t, decode(c.payload), c.want)
		})
	}
}

// A run of zeros may not go past the block's end.
func TestBlockOfMoreThan64(t *testing.T) {
	v := picturetest.Variant{Width: 8, Height: 8, Factors: kinds()["grey"]}
	whole := v.Encode(func(int, int, int) byte { return 128 })
	scan := bytes.Index(whole, []byte("\xff\xda"))
	// DC 0 in 4 bits, then 15 zeros and a number of 1 bit, five times: codes of 9 bits.
	var window uint64
	for range 5 {
		window = window<<10 | 0xf1<<1
	}
	pixels := []byte{byte(window >> 46 & 15), byte(window >> 38), byte(window >> 30), byte(window >> 22), byte(window >> 14), byte(window >> 6), byte(window << 2)}
	payload := append(append(whole[:scan+10:scan+10], pixels...), "\xff\xd9"...)
	require.ErrorIs(t, decode(payload), errLong)
}

// The most that a block can take goes beyond the end, and not beyond the memory.
func TestLongestBlockAfterTheEnd(t *testing.T) {
	v := picturetest.Variant{Width: 8, Height: 8, Factors: kinds()["grey"], CodeBits: 16}
	whole := v.Encode(func(int, int, int) byte { return 128 })
	table, scan := bytes.Index(whole, []byte("\xff\xc4\x01\x12\x10")), bytes.Index(whole, []byte("\xff\xda"))
	whole[table+4+17] = 0x0f // 16 zeros: a number of 15 bits follows
	require.ErrorIs(t, decode(append(whole[:scan+10:scan+10], "\xff\xd9"...)), errPast)
	require.ErrorIs(t, decode(append(whole[:scan+10:scan+10], "\x00\xff\xd9"...)), errPast)
}

func FuzzPlanes(f *testing.F) {
	v := picturetest.Variant{Width: 18, Height: 9, Factors: kinds()["420"], Quant: 60}
	f.Add(v.Encode(texture), 8, 8)
	v.Restart = 1
	f.Add(v.Encode(texture), 9, 4)
	v.Factors, v.CodeBits = kinds()["grey"], 16
	f.Add(v.Encode(texture), 1, 1)
	v.Progressive = true
	f.Add(v.Encode(texture), 18, 9)
	f.Fuzz(func(t *testing.T, payload []byte, askX, askY int) {
		_, _ = ReadFrame(payload)
		var d Decoder
		w, h, err := d.Read(payload)
		if err != nil || w*h > 1<<20 {
			return
		}
		planes, err := d.Planes(nil, askX, askY)
		if err != nil {
			return
		}
		for _, p := range planes {
			last := (int(p.Height+.999)-1)*p.Stride + int(p.Width+.999) - 1
			if p.Width <= 0 || p.Height <= 0 || last < 0 || last >= len(p.Pix) {
				t.Fatalf("%v x %v in %d bytes, %d a row", p.Width, p.Height, len(p.Pix), p.Stride)
			}
		}
	})
}
