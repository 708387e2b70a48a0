// SPDX-License-Identifier: Apache-2.0

package cascade

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"image/png"
	"math"
	"slices"

	"edgex-offload/infer/picture"
	"edgex-offload/offload"
)

const (
	// jpegQuality of crops: at 90 the loss is below what models notice, at a third of the bytes
	// of 100.
	jpegQuality = 90
	// mostCropBytes bounds what the crops of one stage take, encoded.
	mostCropBytes = 16 << 20
)

// crop is a part of the picture, encoded.
type crop struct {
	payload     []byte
	contentType string
	box         image.Rectangle // in pixels of the picture, its top left corner at 0, 0
	object      int             // of the detect stage
}

// decode gives the picture's pixels, as soon as there is a place for them.
func (x *execution) decode(ctx context.Context, i int) {
	r := &x.results[i]
	if x.over(ctx, r) {
		return
	}
	if from := x.c.links[i].objects; from != none && len(x.results[from].objects) == 0 && x.c.lazy(i) {
		return // nothing will be cut out of it
	}
	if !x.deadline.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, x.deadline)
		defer cancel()
	}
	select {
	case x.r.pictures <- struct{}{}:
	case <-ctx.Done():
		reason := offload.Stopped
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			reason = offload.Shed
		}
		r.fail(reason, fmt.Sprintf("no place to decode it: %d pictures are decoded", x.r.options.Pictures))
		return
	}
	defer func() { // also where it panics
		if r.picture == nil {
			<-x.r.pictures
		}
	}()
	img, err := picture.Decode(x.task.Payload)
	switch {
	case err != nil:
		r.fail(offload.Invalid, err.Error())
	case x.c.crops():
		r.picture = img
	}
}

// crops tells whether anything is cut out.
func (c *Cascade) crops() bool {
	return slices.ContainsFunc(c.Stages, func(s Stage) bool { return s.Does == Crop })
}

// crop cuts the objects out of the picture that the stage asks for, the best first.
func (x *execution) crop(ctx context.Context, i int) {
	r, s, l := &x.results[i], &x.c.Stages[i], &x.c.links[i]
	img, objects := x.results[l.picture].picture, x.results[l.objects].objects
	if len(objects) == 0 || x.over(ctx, r) {
		return
	}
	size, bytesLeft := img.Bounds().Size(), mostCropBytes
	for n := range objects {
		box, ok := s.boxOf(&objects[n], size)
		if !ok {
			continue
		}
		if len(r.crops) == s.MaxCrops || bytesLeft <= 0 {
			r.view.Passed++
			continue
		}
		if x.over(ctx, r) {
			break
		}
		payload, err := s.encode(img, box.Add(img.Bounds().Min))
		if err == nil && len(payload) > bytesLeft {
			bytesLeft = 0
			err = fmt.Errorf("the crops take more than %d bytes: allow fewer with max_crops, or encode them as %s", mostCropBytes, JPEG)
		}
		if err != nil {
			r.fail(offload.Invalid, fmt.Sprintf("crop of object %d: %s", n+1, err))
			continue
		}
		bytesLeft -= len(payload)
		r.crops = append(r.crops, crop{payload, "image/" + s.Format, box, n})
	}
	r.view.Found = len(r.crops)
}

// boxOf is the part of a picture of that size to cut out for an object, with the margin and
// within the picture; ok is false for an object that the stage does not ask for.
func (s *Stage) boxOf(o *offload.Object, size image.Point) (box image.Rectangle, ok bool) {
	if len(s.Labels) > 0 && !slices.Contains(s.Labels, o.Label) || !(float64(o.Confidence) >= s.MinConfidence) {
		return box, false
	}
	left, right := span(o.X, o.W, s.Margin, size.X)
	top, bottom := span(o.Y, o.H, s.Margin, size.Y)
	from, to := span(o.X, o.W, 0, size.X) // what is seen of the object itself
	over, under := span(o.Y, o.H, 0, size.Y)
	box = image.Rectangle{Min: image.Pt(left, top), Max: image.Pt(right, bottom)}
	return box, to-from >= s.MinSize && under-over >= s.MinSize
}

// span is one side of a box in whole pixels from 0 to size; from 0 to 0 for numbers that are none.
func span(start, length float32, margin float64, size int) (from, to int) {
	more := margin * float64(length)
	low, high := float64(start)-more, float64(start)+float64(length)+more
	if math.IsNaN(low) || math.IsNaN(high) {
		return 0, 0
	}
	bounded := func(v float64) int { return int(min(max(v, 0), float64(size))) }
	return bounded(math.Floor(low)), bounded(math.Ceil(high))
}

// encode cuts a part out of a picture and makes a file of it.
func (s *Stage) encode(img image.Image, part image.Rectangle) ([]byte, error) {
	var out bytes.Buffer
	cut := subImage(img, part)
	if s.Format == PNG {
		err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&out, cut)
		return out.Bytes(), err
	}
	err := jpeg.Encode(&out, cut, &jpeg.Options{Quality: jpegQuality})
	return out.Bytes(), err
}

// subImage shares the pixels with the picture where that can be, as all kinds of the standard
// library can.
func subImage(img image.Image, part image.Rectangle) image.Image {
	if whole, ok := img.(interface {
		SubImage(r image.Rectangle) image.Image
	}); ok {
		return whole.SubImage(part)
	}
	cut := image.NewNRGBA(image.Rect(0, 0, part.Dx(), part.Dy()))
	draw.Draw(cut, cut.Rect, img, part.Min, draw.Src)
	return cut
}
