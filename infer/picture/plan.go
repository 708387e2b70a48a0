// SPDX-License-Identifier: Apache-2.0

package picture

import (
	"fmt"
	"image"
	"math"
	"sync"
)

// Fit is how a picture of other proportions gets the tensor's size.
type Fit int

// The ways to fit.
const (
	// Stretch fills the tensor and does not keep the proportions.
	Stretch Fit = iota
	// Letterbox keeps the proportions, in the middle.
	Letterbox
	// Corner keeps the proportions, at the top left, as YOLOX does.
	Corner
)

// Order is the order of a tensor's channels.
type Order int

// The orders.
const (
	RGB Order = iota
	BGR
	Gray
)

// Options describe a tensor.
type Options struct {
	// Width and Height in pixels.
	Width, Height int
	// ChannelsLast is NHWC; else NCHW.
	ChannelsLast bool
	Order        Order
	Fit          Fit
	// Pad is the value, 0 to 255, of what Letterbox and Corner leave free.
	Pad float64
	// Invert takes 255 - v for each value v first.
	Invert bool
	// Fast samples a reduction at points instead of averaging it: quicker, and it aliases.
	Fast bool
	// A value v becomes (v*Scale - Mean) / Std. Mean and Std have one number, or one per
	// channel in the tensor's order.
	Scale     float64
	Mean, Std []float64
}

// Plan fills tensors as its Options say. It is safe for concurrent use.
type Plan struct {
	opts     Options
	channels int
	gain     [3]float32 // value of the tensor = gain*v + bias
	bias     [3]float32
	red      int       // the channel of red; green is 1, blue the other
	scratch  sync.Pool // of *scratch
	decoders sync.Pool // of *jpegscale.Decoder
	pictures sync.Pool // of *scaled
}

// NewPlan prepares a Plan.
func NewPlan(o Options) *Plan {
	p := &Plan{opts: o, channels: 3}
	if o.Order == Gray {
		p.channels = 1
	}
	if o.Order == BGR {
		p.red = 2
	}
	for c := range p.channels {
		mean, std := o.Mean[c%len(o.Mean)], o.Std[c%len(o.Std)]
		gain, bias := o.Scale/std, -mean/std
		if o.Invert {
			gain, bias = -gain, bias+255*gain
		}
		p.gain[c], p.bias[c] = float32(gain), float32(bias)
	}
	return p
}

// Placement says where a picture lies in a tensor, for the way back.
type Placement struct {
	// PictureWidth and PictureHeight are the picture's own size.
	PictureWidth, PictureHeight int
	// Left, Top, Width and Height are the rectangle that it takes in the tensor.
	Left, Top, Width, Height int
}

// ToPicture maps a point of the tensor to pixels of the picture, kept inside of it.
func (p Placement) ToPicture(x, y float32) (float32, float32) {
	w, h := float32(p.PictureWidth), float32(p.PictureHeight)
	x = (x - float32(p.Left)) * w / float32(p.Width)
	y = (y - float32(p.Top)) * h / float32(p.Height)
	return min(max(x, 0), w), min(max(y, 0), h)
}

// place fits a picture of w x h.
func (p *Plan) place(w, h int) Placement {
	at := Placement{PictureWidth: w, PictureHeight: h, Width: p.opts.Width, Height: p.opts.Height}
	if p.opts.Fit == Stretch {
		return at
	}
	scale := min(float64(at.Width)/float64(w), float64(at.Height)/float64(h))
	at.Width = min(max(int(math.Round(float64(w)*scale)), 1), at.Width)
	at.Height = min(max(int(math.Round(float64(h)*scale)), 1), at.Height)
	if p.opts.Fit == Letterbox {
		at.Left, at.Top = (p.opts.Width-at.Width)/2, (p.opts.Height-at.Height)/2
	}
	return at
}

// Fill writes img into the tensor dst: every value of it, whatever it held before.
func (p *Plan) Fill(dst []float32, img image.Image) (Placement, error) {
	o := p.opts
	if want := o.Width * o.Height * p.channels; len(dst) != want {
		return Placement{}, fmt.Errorf("tensor has %d values: needed are %d", len(dst), want)
	}
	if img.Bounds().Empty() {
		return Placement{}, fmt.Errorf("picture is %v: it has no pixels", img.Bounds())
	}
	at := p.place(img.Bounds().Dx(), img.Bounds().Dy())
	if at.Width < o.Width || at.Height < o.Height {
		p.pad(dst)
	}
	s, _ := p.scratch.Get().(*scratch)
	if s == nil {
		s = &scratch{}
	}
	defer p.scratch.Put(s)
	p.fill(dst, img, at, s)
	return at, nil
}

func (p *Plan) fill(dst []float32, img image.Image, at Placement, s *scratch) {
	planes, ycc := planesOf(s.planes[:0], img)
	defer clear(planes) // the picture's memory is not kept
	if p.channels == 1 && ycc {
		planes, ycc = planes[:1], false // Y is grey
	}
	s.fit(planes, at, p.opts.Fast)
	for y := range at.Height {
		s.resample(planes, y)
		p.write(dst, s.rows[:len(planes)], at, y, ycc)
	}
}

// pad fills the tensor with the pad value.
func (p *Plan) pad(dst []float32) {
	area := p.opts.Width * p.opts.Height
	for i := range dst {
		c := i / area
		if p.opts.ChannelsLast {
			c = i % p.channels
		}
		dst[i] = p.gain[c]*float32(p.opts.Pad) + p.bias[c]
	}
}
