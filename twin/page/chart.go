// SPDX-License-Identifier: Apache-2.0

package page

import (
	"math"
	"strconv"
	"strings"
)

// px is a length in a picture's own units, about a pixel each.
type px float64

// String implements fmt.Stringer: to a tenth.
func (p px) String() string {
	if !finite(float64(p)) {
		return "0"
	}
	return strconv.FormatFloat(math.Round(float64(p)*10)/10, 'f', -1, 64)
}

// mark is a path, or a text where it has one.
type mark struct {
	Class string
	Path  string
	Tip   string // what it says when it is pointed at

	Text   string
	X, Y   px
	Anchor string
}

// chart is a picture. Alt says what it shows to who does not see it.
type chart struct {
	Width, Height px
	Alt           string
	Marks         []mark
}

type point struct{ x, y float64 }

// pen writes a path.
type pen struct{ strings.Builder }

func (p *pen) to(command string, at point) {
	p.WriteString(command)
	p.WriteString(px(at.x).String())
	p.WriteByte(' ')
	p.WriteString(px(at.y).String())
}

func polygon(points []point, closed bool) string {
	var p pen
	for i, at := range points {
		command := "L"
		if i == 0 {
			command = "M"
		}
		p.to(command, at)
	}
	if closed {
		p.WriteByte('Z')
	}
	return p.String()
}

func (c *chart) path(class, path, tip string) {
	if path != "" {
		c.Marks = append(c.Marks, mark{Class: class, Path: path, Tip: tip})
	}
}

func (c *chart) line(class string, x1, y1, x2, y2 float64) {
	c.path(class, polygon([]point{{x1, y1}, {x2, y2}}, false), "")
}

func (c *chart) rect(class string, x, y, w, h float64) {
	c.path(class, polygon([]point{{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}}, true), "")
}

// text is anchored at its start, middle or end.
func (c *chart) text(class, anchor string, x, y float64, text string) {
	if text != "" {
		c.Marks = append(c.Marks, mark{Class: class, Anchor: anchor, X: px(x), Y: px(y), Text: text})
	}
}

// symbol draws a policy's mark.
func (c *chart) symbol(p policy, at point, r float64, tip string) {
	c.path(p.fill(), p.symbol(at, r), tip)
}

// symbols are outlines within a circle of radius 1, so that no two policies are told apart by
// colour alone.
func symbols() [][]point {
	regular := func(n int, turn, r float64) []point {
		var points []point
		for i := range n {
			a := turn + 2*math.Pi*float64(i)/float64(n)
			points = append(points, point{r * math.Sin(a), -r * math.Cos(a)})
		}
		return points
	}
	cross := []point{}
	for _, q := range []point{{1, -1}, {1, 1}, {-1, 1}, {-1, -1}} {
		const long, thin = 1.1, .38
		if q.x*q.y < 0 {
			cross = append(cross, point{q.x * thin, q.y * long}, point{q.x * thin, q.y * thin}, point{q.x * long, q.y * thin})
		} else {
			cross = append(cross, point{q.x * long, q.y * thin}, point{q.x * thin, q.y * thin}, point{q.x * thin, q.y * long})
		}
	}
	var star []point
	outer, inner := regular(5, 0, 1.25), regular(5, math.Pi/5, .55)
	for i := range outer {
		star = append(star, outer[i], inner[i])
	}
	return [][]point{
		regular(16, 0, 1), regular(4, math.Pi/4, 1.2), regular(3, 0, 1.25), regular(4, 0, 1.25),
		regular(3, math.Pi, 1.25), cross, star, regular(6, 0, 1.1),
	}
}

// textWidth is about how wide a text of the pictures' size is.
func textWidth(text string) float64 { return 6.4 * float64(len([]rune(text))) }
