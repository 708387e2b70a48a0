// SPDX-License-Identifier: Apache-2.0

package picture

import (
	"image"
	"image/color"

	"edgex-offload/infer/picture/jpegscale"
)

// Decode reads a JPEG or PNG for this Plan's tensor: a camera's JPEG with no more samples
// than the tensor needs, which is several times quicker, all else as the function Decode
// does. Whatever the scale, the picture has its own size, and so has the Placement.
func (p *Plan) Decode(payload []byte) (image.Image, error) {
	if isJPEG(payload) {
		if img, err := p.decodeScaled(payload); err == nil {
			return img, nil
		}
		// Of another kind, too large or broken: image/jpeg decodes it or says why not.
	}
	return Decode(payload)
}

// Recycle gives the memory of a picture that this Plan has decoded to its next one. The
// picture is not to be used after that.
func (p *Plan) Recycle(img image.Image) {
	if s, ok := img.(*scaled); ok {
		p.pictures.Put(s)
	}
}

func (p *Plan) decodeScaled(payload []byte) (*scaled, error) {
	d, _ := p.decoders.Get().(*jpegscale.Decoder)
	if d == nil {
		d = &jpegscale.Decoder{}
	}
	defer p.decoders.Put(d)
	w, h, err := d.Read(payload)
	if err != nil {
		return nil, err
	}
	if err := check(jpegName, payload, w, h); err != nil {
		return nil, err
	}
	s, _ := p.pictures.Get().(*scaled)
	if s == nil {
		s = &scaled{}
	}
	at := p.place(w, h)
	s.size = image.Pt(w, h)
	s.planes, err = d.Planes(s.planes, at.Width, at.Height)
	if err != nil {
		p.pictures.Put(s)
		return nil, err
	}
	return s, nil
}

// scaled is a picture that has its full size and fewer samples.
type scaled struct {
	size   image.Point
	planes []jpegscale.Plane // grey, or Y, Cb and Cr
}

// ColorModel implements image.Image.
func (s *scaled) ColorModel() color.Model {
	if len(s.planes) == 1 {
		return color.GrayModel
	}
	return color.YCbCrModel
}

// Bounds implements image.Image.
func (s *scaled) Bounds() image.Rectangle { return image.Rectangle{Max: s.size} }

// At implements image.Image.
func (s *scaled) At(x, y int) color.Color {
	if !image.Pt(x, y).In(s.Bounds()) {
		return color.YCbCr{}
	}
	var v [3]byte
	for i, p := range s.planes {
		column := int((float64(x) + .5) * p.Width / float64(s.size.X))
		row := int((float64(y) + .5) * p.Height / float64(s.size.Y))
		v[i] = p.Pix[row*p.Stride+column]
	}
	if len(s.planes) == 1 {
		return color.Gray{Y: v[0]}
	}
	return color.YCbCr{Y: v[0], Cb: v[1], Cr: v[2]}
}
