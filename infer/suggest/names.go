// SPDX-License-Identifier: Apache-2.0

package suggest

import (
	"regexp"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// mostNames bounds what is read of a note.
const mostNames = 10_000

// namesOf reads the classes as Ultralytics notes them, a dictionary of Python: {0:
// 'person', 1: "driver's seat"}. It is nil for anything else.
func namesOf(note string) (names []string) {
	entry := regexp.MustCompile(`(\d+): (?:'([^'\\]*)'|"([^"\\]*)")`)
	for _, m := range entry.FindAllStringSubmatch(note, mostNames) {
		name := m[2] + m[3]
		if n, err := strconv.Atoi(m[1]); err != nil || n != len(names) || !fit(name) {
			return nil
		}
		names = append(names, name)
	}
	return names
}

// fit says whether model.yaml takes a label.
func fit(label string) bool {
	for _, r := range label {
		if unicode.IsControl(r) || !unicode.IsPrint(r) {
			return false
		}
	}
	return label != "" && len(label) <= 200 && utf8.ValidString(label)
}
