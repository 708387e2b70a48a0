// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"

	"edgex-offload/infer/picture"
	"edgex-offload/infer/picture/picturetest"
)

// pictures are the way from a camera's JPEG to a tensor.
func pictures(_ context.Context, b *bench) (rows []row, err error) {
	fill, err := b.fillVGA()
	if err != nil {
		return nil, err
	}
	rows = append(rows, fill)
	for _, c := range []struct {
		width, height, side int
		fit                 picture.Fit
		target              *target
	}{
		{1920, 1080, 224, picture.Stretch, atMost(.4)},
		{1920, 1080, 640, picture.Letterbox, atMost(.4)},
		{1920, 1080, 640, picture.Stretch, nil},
		{640, 480, 224, picture.Stretch, nil},
	} {
		r, err := b.againstStandard(c.width, c.height, c.side, c.fit)
		if err != nil {
			return nil, err
		}
		r.Target = c.target
		rows = append(rows, r)
	}
	return rows, nil
}

// fillVGA is a picture of 640 x 480 to a tensor, once it is decoded: as a task has it, and at
// its whole size.
func (b *bench) fillVGA() (row, error) {
	const side = mobileNetSide
	payload := picturetest.CameraJPEG(640, 480)
	plan, dst := planTo(side, picture.Stretch), make([]float32, 3*side*side)
	scaled, err := plan.Decode(payload)
	if err != nil {
		return row{}, err
	}
	whole, err := picture.Decode(payload)
	if err != nil {
		return row{}, err
	}
	took, err := b.compare(30,
		func() error { _, err := plan.Fill(dst, scaled); return err },
		func() error { _, err := plan.Fill(dst, whole); return err },
		func() error { picturetest.StandardFill(whole, side, dst); return nil },
	)
	if err != nil {
		return row{}, err
	}
	return row{
		What: "640 × 480 → tensor 224, after the decode", figure: took[0].figure(), Unit: "ms", Target: atMost(.5),
		Of: fmt.Sprintf("after a decode at full size %s, there the standard way %s", quantity(took[1].figure().Median, "ms"), quantity(took[2].figure().Median, "ms")),
	}, nil
}

// againstStandard is a JPEG to a tensor, beside a full decode by image/jpeg, a resize by
// x/image/draw and a pass over the pixels.
func (b *bench) againstStandard(width, height, side int, fit picture.Fit) (row, error) {
	payload := picturetest.CameraJPEG(width, height)
	plan, dst := planTo(side, fit), make([]float32, 3*side*side)
	standard, how := picturetest.StandardTensor, ""
	if fit == picture.Letterbox {
		standard, how = picturetest.StandardLetterbox, ", letterbox"
	}
	took, err := b.compare(10, func() error {
		img, err := plan.Decode(payload)
		if err != nil {
			return err
		}
		defer plan.Recycle(img)
		_, err = plan.Fill(dst, img)
		return err
	}, func() error { return standard(payload, side, dst) })
	if err != nil {
		return row{}, err
	}
	return row{
		What:   fmt.Sprintf("JPEG of %d × %d → tensor %d%s, over the standard library's way", width, height, side, how),
		figure: took[0].over(took[1]).figure(), Unit: "x", Of: sides(took[0], took[1]),
	}, nil
}

func planTo(side int, fit picture.Fit) *picture.Plan {
	return picture.NewPlan(picture.Options{Width: side, Height: side, Fit: fit, Pad: 114, Scale: 1. / 255, Mean: []float64{.5}, Std: []float64{.5}})
}
