// SPDX-License-Identifier: Apache-2.0

package conveyor

import "math"

// wear draws what good and bad parts carry alike: tool marks along the turning
// direction, dust, and at times a faint film of oil.
func (b *Belt) wear(p *part) {
	for range b.rng.IntN(4) {
		b.toolMark(p)
	}
	for range b.rng.IntN(10) {
		b.dust(p)
	}
	if b.rng.Float64() < .3 {
		x, y := b.spot(p, .05)
		b.blot(x, y, between(b.rng, .12, .3), between(b.rng, .03, .09), .5)
	}
}

// damage draws the defect of a label; Good has none. How bad it is runs evenly from
// hardly visible to plain.
func (b *Belt) damage(p *part, label string) {
	severity := b.rng.Float64()
	switch label {
	case Scratch:
		b.scratch(p, severity)
	case Dent:
		b.dent(p, severity)
	case Stain:
		x, y := b.spot(p, .06)
		b.blot(x, y, grow(severity, .12, .28), grow(severity, .30, .75), between(b.rng, .1, .9))
	case Crack:
		b.crack(p, severity)
	}
}

// grow goes from low to high with the severity.
func grow(severity, low, high float64) float64 { return low + (high-low)*severity }

// spot picks a point on the flat metal with some metal around it.
func (b *Belt) spot(p *part, clear float64) (x, y float64) {
	for range 64 {
		r := math.Sqrt(between(b.rng, boreEnd*boreEnd, 1))
		angle := between(b.rng, 0, 2*math.Pi)
		x, y = r*math.Cos(angle), r*math.Sin(angle)
		if p.onMetal(x, y, clear) {
			return x, y
		}
	}
	return .4, 0 // the hub's middle, which is metal on each part
}

// toolMark is a faint arc around the middle, left by turning.
func (b *Belt) toolMark(p *part) {
	r := between(b.rng, .3, .93)
	from, sweep := between(b.rng, 0, 2*math.Pi), between(b.rng, .3, 1.3)
	relief := between(b.rng, -.12, .12)
	const pieces = 12
	for i := range pieces {
		a, c := from+sweep*float64(i)/pieces, from+sweep*float64(i+1)/pieces
		b.marks.line(r*math.Cos(a), r*math.Sin(a), r*math.Cos(c), r*math.Sin(c), .012, relief)
	}
}

// dust is a bright or dark speck of a pixel or two.
func (b *Belt) dust(p *part) {
	x, y := b.spot(p, 0)
	size, light := between(b.rng, .008, .02), between(b.rng, -.3, .3)
	b.marks.around(x, y, 2*size, func(m *mark, dx, dy float64) {
		m.glint += float32(light * math.Exp(-(dx*dx+dy*dy)/(size*size)))
	})
}

// scratch is a slightly bent stroke, bright where it catches the light, else dark.
func (b *Belt) scratch(p *part, severity float64) {
	x, y := b.spot(p, .03)
	// Across the turning direction, give or take a radian, or it would be a tool mark.
	heading := math.Atan2(y, x) + between(b.rng, -.9, .9)
	length, width := grow(severity, .30, .75), grow(severity, .022, .045)
	relief := grow(severity, .34, .80)
	if b.rng.Float64() < .2 {
		relief = -relief
	}
	bend := between(b.rng, -.08, .08)
	const pieces = 10
	x, y = x-length/2*math.Cos(heading), y-length/2*math.Sin(heading)
	for range pieces {
		nx, ny := x+length/pieces*math.Cos(heading), y+length/pieces*math.Sin(heading)
		b.marks.line(x, y, nx, ny, width*between(b.rng, .7, 1.2), relief*between(b.rng, .7, 1.1))
		x, y, heading = nx, ny, heading+bend
	}
}

// dent is a shallow bowl: the slope that faces the lamp is bright, the other dark.
func (b *Belt) dent(p *part, severity float64) {
	size, depth := grow(severity, .09, .16), grow(severity, .28, .85)
	x, y := b.spot(p, size)
	b.marks.around(x, y, 2.6*size, func(m *mark, dx, dy float64) {
		u, v := dx/size, dy/size
		slope := -(u*p.lightX + v*p.lightY) * math.Exp(-(u*u+v*v)/1.2)
		m.relief += float32(2 * depth * slope)
	})
}

// blot is a film with a ragged border: oil, rust or paint by its tone.
func (b *Belt) blot(x, y, size, film, tone float64) {
	ragged := newCloud(b.rng, 9, 2)
	b.marks.around(x, y, 1.5*size, func(m *mark, dx, dy float64) {
		turn := math.Atan2(dy, dx)/(2*math.Pi) + .5
		border := size * (.55 + .9*ragged.at(turn, .5))
		cover := film * (1 - smooth(.75*border, border, math.Hypot(dx, dy)))
		if float32(cover) > m.film {
			m.film, m.tone = float32(cover), float32(tone)
		}
	})
}

// crack runs from a hole or the rim into the metal, jagged, dark and at times forked.
func (b *Belt) crack(p *part, severity float64) {
	angle := between(b.rng, 0, 2*math.Pi)
	x, y := .99*math.Cos(angle), .99*math.Sin(angle)
	heading := angle + math.Pi
	switch b.rng.IntN(3) {
	case 0: // from a bolt hole
		hole := p.bolts[b.rng.IntN(len(p.bolts))]
		x, y, heading = hole[0]+boltEnd*math.Cos(angle), hole[1]+boltEnd*math.Sin(angle), angle
	case 1: // from the bore
		x, y, heading = boreEnd*math.Cos(angle), boreEnd*math.Sin(angle), angle
	}
	length, width := grow(severity, .28, .60), grow(severity, .027, .054)
	b.run(x, y, heading, length, width, -grow(severity, .46, .90), severity > .4)
}

// run draws a jagged stroke that gets thinner to its end; forked lets a branch go off.
func (b *Belt) run(x, y, heading, length, width, relief float64, forked bool) {
	const pieces = 9
	for i := range pieces {
		turn := heading + between(b.rng, -.8, .8)
		nx, ny := x+length/pieces*math.Cos(turn), y+length/pieces*math.Sin(turn)
		thin := 1 - .7*float64(i)/pieces
		b.marks.line(x, y, nx, ny, width*thin, relief)
		if forked && i == pieces/2 {
			side := .7
			if b.rng.Float64() < .5 {
				side = -side
			}
			b.run(nx, ny, heading+side, length/2, width*thin, relief, false)
		}
		x, y = nx, ny
	}
}
