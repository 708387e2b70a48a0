// SPDX-License-Identifier: Apache-2.0

package console

import "edgex-offload/offload"

// style colours text for a terminal, or leaves it.
type style struct{ colour bool }

func (s style) paint(code, text string) string {
	if !s.colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s style) good(text string) string { return s.paint("32", text) }
func (s style) bad(text string) string  { return s.paint("31", text) }
func (s style) dim(text string) string  { return s.paint("2", text) }

func (s style) route(route, text string) string {
	if route == offload.Local {
		return s.paint("33", text)
	}
	return s.paint("36", text)
}
