// SPDX-License-Identifier: Apache-2.0

package page

import (
	"math"
	"strconv"
	"strings"
	"unicode"
)

// unknown stands where a value is no number.
const unknown = "–"

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// decimals gives a number with so many decimals; one that is no number, or too long to be
// read, is unknown.
func decimals(v float64, n int) string {
	if !finite(v) || math.Abs(v) >= 1e15 {
		return unknown
	}
	text := strconv.FormatFloat(v, 'f', n, 64)
	if strings.Trim(text, "-0.") == "" {
		text = strings.TrimPrefix(text, "-")
	}
	return strings.Replace(text, "-", "−", 1)
}

// short gives about three digits.
func short(v float64) string {
	switch a := math.Abs(v); {
	case a >= 100 || a == 0:
		return decimals(v, 0)
	case a >= 10:
		return decimals(v, 1)
	case a >= 1:
		return decimals(v, 2)
	case a >= .001:
		return decimals(v, 3)
	default:
		return plain(v)
	}
}

// plain gives a number as short as it can be: 0.5, 20, 1000.
func plain(v float64) string {
	if !finite(v) {
		return unknown
	}
	if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e15) {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	r, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 10, 64), 64) // 0.30000000000000004
	return strings.Replace(strconv.FormatFloat(r, 'f', -1, 64), "-", "−", 1)
}

func percent(share float64) string { return withUnit(decimals(100*share, 2), "%") }

// count has a thin space between thousands.
func count(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "\u202f" + text[i:]
	}
	return text
}

func three(v float64) string { return decimals(v, 3) }

func withUnit(number, unit string) string {
	if number == unknown {
		return number
	}
	return number + unit
}

// milliseconds of a quantile of latency; below zero it has no result.
func milliseconds(v float64) string {
	if v < 0 {
		return "none"
	}
	return short(v)
}

func orNothing(is bool, text string) string {
	if is {
		return text
	}
	return ""
}

// signed has its sign in any case.
func signed(text string) string {
	if text == unknown || strings.HasPrefix(text, "−") {
		return text
	}
	return "+" + text
}

// plusMinus is a mean with its standard error, where there is one.
func plusMinus(mean, se string) string {
	if se == unknown || mean == unknown {
		return mean
	}
	return mean + " ± " + se
}

const (
	longestName  = 200 // runes of a name anywhere
	longestLabel = 24  // in a picture
)

// clean makes a name from outside fit for a line: characters that steer the text's direction or
// have no width of their own are shown as what they are, something odd, and its length is bounded.
func clean(name string) string {
	if name == "" {
		return "(no name)"
	}
	return clip(strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) {
			return unicode.ReplacementChar
		}
		return r
	}, name), longestName)
}

func clip(name string, runes int) string {
	if r := []rune(name); len(r) > runes {
		return string(r[:runes-1]) + "…"
	}
	return name
}
