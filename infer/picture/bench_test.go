// SPDX-License-Identifier: Apache-2.0

package picture

import (
	"fmt"
	"testing"

	"edgex-offload/infer/picture/picturetest"
)

// BenchmarkJPEGToTensor is a camera's JPEG to a tensor, whole and after the decode, beside
// the way of the standard library.
func BenchmarkJPEGToTensor(b *testing.B) {
	for _, c := range []struct {
		w, h, side int
	}{{640, 480, 224}, {640, 480, 640}, {1920, 1080, 224}, {1920, 1080, 640}} {
		payload := picturetest.CameraJPEG(c.w, c.h)
		dst := make([]float32, 3*c.side*c.side)
		o := plain(c.side, c.side)
		fast := o
		fast.Fast = true
		size := fmt.Sprintf("%dx%dto%d", c.w, c.h, c.side)
		benchmarkStandard(b, size, payload, c.side, dst)
		benchmarkPlan(b, size+"/ours", payload, NewPlan(o), dst)
		benchmarkPlan(b, size+"/oursFast", payload, NewPlan(fast), dst)
	}
}

func benchmarkStandard(b *testing.B, size string, payload []byte, side int, dst []float32) {
	b.Run(size+"/standard/whole", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := picturetest.StandardTensor(payload, side, dst); err != nil {
				b.Fatal(err)
			}
		}
	})
	img, err := Decode(payload)
	if err != nil {
		b.Fatal(err)
	}
	b.Run(size+"/standard/fill", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			picturetest.StandardFill(img, side, dst)
		}
	})
}

func benchmarkPlan(b *testing.B, name string, payload []byte, p *Plan, dst []float32) {
	b.Run(name+"/whole", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			img, err := p.Decode(payload)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := p.Fill(dst, img); err != nil {
				b.Fatal(err)
			}
			p.Recycle(img)
		}
	})
	img, err := p.Decode(payload)
	if err != nil {
		b.Fatal(err)
	}
	b.Run(name+"/fill", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := p.Fill(dst, img); err != nil {
				b.Fatal(err)
			}
		}
	})
}
