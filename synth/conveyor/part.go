// SPDX-License-Identifier: Apache-2.0

package conveyor

import "math"

// The flange's drawing, in shares of its outer radius.
const (
	rimStart   = .955 // the outer chamfer begins here
	hubEnd     = .54  // the raised hub ends here
	hubChamfer = .03
	boreEnd    = .25 // the hole in the middle
	boreBevel  = .03
	boltCircle = .76 // the bolt holes' centres
	boltEnd    = .07
	boltBevel  = .025
	shadowEnd  = 1.22 // nothing of the part is seen beyond
)

// part is one flange as it lies on the belt. Lengths are in pixels; local coordinates
// are shares of the radius, with the part's own tilt undone.
type part struct {
	x, y, radius float64
	tilt         float64 // height over width, 1 seen from straight above
	lightX       float64 // unit vector towards the lamp
	lightY       float64
	bolts        [][2]float64 // centres of the bolt holes
	red          float64      // brightness of the bare metal, 0 to 255
	green        float64
	blue         float64
	lobe         float64   // strength of the highlight of the turned face
	grooves      []float64 // brightness of the turning grooves from the middle outwards
	pixel        float64   // one pixel, as a share of the radius
}

// newPart draws the lot for a flange's pose, finish and light.
func (b *Belt) newPart() *part {
	side := float64(min(b.width, b.height))
	p := &part{
		radius: side * between(b.rng, .39, .44),
		tilt:   between(b.rng, .94, 1),
		lobe:   between(b.rng, .15, .4),
	}
	p.pixel = 1 / p.radius
	p.x = float64(b.width)/2 + between(b.rng, -.06, .06)*float64(b.width)
	p.y = float64(b.height)/2 + between(b.rng, -.02, .02)*float64(b.height)
	lamp := between(b.rng, -2.3, -.9) // radians; from the upper side
	p.lightX, p.lightY = math.Cos(lamp), math.Sin(lamp)
	shade := between(b.rng, 105, 160)
	tint := between(b.rng, -.03, .05)
	p.red, p.green, p.blue = shade*(1+tint), shade, shade*(1-tint)

	holes, turn := 4, between(b.rng, 0, 2*math.Pi)
	for i := range holes {
		angle := turn + 2*math.Pi*float64(i)/float64(holes)
		p.bolts = append(p.bolts, [2]float64{boltCircle * math.Cos(angle), boltCircle * math.Sin(angle)})
	}
	depth := between(b.rng, .015, .045)
	p.grooves = make([]float64, 96)
	for i := range p.grooves {
		p.grooves[i] = 1 + depth*b.rng.NormFloat64()
	}
	return p
}

// local turns a pixel into local coordinates; near is false where the part and its
// shadow do not reach.
func (p *part) local(x, y int) (px, py float64, near bool) {
	px = (float64(x) - p.x) * p.pixel
	py = (float64(y) - p.y) * p.pixel / p.tilt
	return px, py, px*px+py*py < shadowEnd*shadowEnd
}

// over lays the part over what lies below it at a local coordinate.
func (p *part) over(red, green, blue, px, py float64, m mark) (float64, float64, float64) {
	shadow := 1 - p.shadow(px, py)
	red, green, blue = red*shadow, green*shadow, blue*shadow
	r := math.Sqrt(px*px + py*py)
	cover, bolt, bx, by := p.cover(px, py, r)
	if cover == 0 {
		return red, green, blue
	}
	light := p.light(px, py, r, bolt, bx, by)*(1+float64(m.relief)) + float64(m.glint)
	keep := 1 - float64(m.film)
	warm := float64(m.film) * float64(m.tone)
	metal := func(base float64, filmed float64) float64 { return base * light * (keep + filmed) }
	red += cover * (metal(p.red, .62*warm) - red)
	green += cover * (metal(p.green, .48*warm) - green)
	blue += cover * (metal(p.blue, .30*warm) - blue)
	return red, green, blue
}

// shadow is how much light the part takes from the belt, 0 to 1.
func (p *part) shadow(px, py float64) float64 {
	sx, sy := px+.07*p.lightX, py+.07*p.lightY
	r := math.Sqrt(sx*sx + sy*sy)
	return .65 * (1 - smooth(.94, 1.12, r))
}

// cover is how much of a pixel is metal, 0 to 1, and where the nearest bolt hole is:
// its distance, and the unit vector away from it.
func (p *part) cover(px, py, r float64) (share, bolt, bx, by float64) {
	bolt = math.Inf(1)
	if math.Abs(r-boltCircle) < boltEnd+boltBevel+p.pixel {
		for _, hole := range p.bolts {
			dx, dy := px-hole[0], py-hole[1]
			if d := math.Sqrt(dx*dx + dy*dy); d < bolt {
				bolt, bx, by = d, dx/(d+1e-9), dy/(d+1e-9)
			}
		}
	}
	share = p.edge(1-r) * p.edge(r-boreEnd) * p.edge(bolt-boltEnd)
	return share, bolt, bx, by
}

// edge is the antialiased border of the metal: 1 inside, 0 outside, by the distance.
func (p *part) edge(inside float64) float64 { return min(max(inside/p.pixel+.5, 0), 1) }

// light is the metal's brightness at a point: a turned face shines in two lobes across
// the lamp's direction, bevels by their own normal.
func (p *part) light(px, py, r, bolt, bx, by float64) float64 {
	away := 1 / (r + 1e-9)
	facing := (px*p.lightX + py*p.lightY) * away // cosine between lamp and radius
	across := 1 - facing*facing
	light := .78 + p.lobe*across*across*across + .10*(px*p.lightX+py*p.lightY)
	groove := min(int(r*float64(len(p.grooves))), len(p.grooves)-1)
	light *= p.grooves[groove]
	switch {
	case r > rimStart:
		light += .55*facing - .08
	case r > hubEnd && r < hubEnd+hubChamfer:
		light += .40 * facing
	case r > hubEnd+hubChamfer && r < hubEnd+3*hubChamfer && facing < 0:
		light += .20 * facing // the hub's own shadow
	case r < boreEnd+boreBevel:
		light -= .45 * facing
	case bolt < boltEnd+boltBevel:
		light -= .45 * (bx*p.lightX + by*p.lightY)
	}
	return light
}

// onMetal tells whether a disc of the given radius around a local point lies on the
// flat metal.
func (p *part) onMetal(px, py, clear float64) bool {
	r := math.Hypot(px, py)
	if r+clear > rimStart || r-clear < boreEnd+boreBevel {
		return false
	}
	for _, hole := range p.bolts {
		if math.Hypot(px-hole[0], py-hole[1]) < boltEnd+boltBevel+clear {
			return false
		}
	}
	return true
}

// smooth rises from 0 at low to 1 at high without a corner.
func smooth(low, high, v float64) float64 {
	t := min(max((v-low)/(high-low), 0), 1)
	return t * t * (3 - 2*t)
}
