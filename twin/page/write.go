// SPDX-License-Identifier: Apache-2.0

package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
)

//go:embed page.html page.css page.js timeline.js
var files embed.FS

// view is what the template is given.
type view struct {
	Title, Scenario, Guard string
	Style                  template.CSS
	Script                 template.JS
	Lead                   []phrase
	Policies               []policy
	Choices                []choice
	Sections               []section
	Timelines              []packed
	TimelinesLeft          int
	Cells                  table
	CellsLeft              int
}

// section is a heading with a variant per class, of which one is shown.
type section struct {
	ID, Title, Note string
	Variants        []variant
}

type variant struct {
	choice
	Charts []chart
	Heats  []heat
	Tables []table
}

// Write writes the page. The same Data give the same bytes. The error is w's.
func Write(w io.Writer, d Data) error {
	text, err := render(d)
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return fmt.Errorf("page: %w", err)
	}
	return nil
}

func render(d Data) ([]byte, error) {
	page, err := template.ParseFS(files, "page.html")
	if err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	style, script, err := parts()
	if err != nil {
		return nil, err
	}
	r := newReport(d)
	v := view{
		Title: clean(d.Title), Scenario: clean(d.Scenario),
		Guard: fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'", hash(style), hash(script)),
		Style: template.CSS(style), Script: template.JS(script), //nolint:gosec // embedded with the program, nothing from outside is in them
		Lead: r.lead(), Policies: r.policies, Choices: r.choices(), Sections: r.sections(),
		Timelines: r.timelines(), TimelinesLeft: max(0, len(d.Timelines)-MaxTimelines),
		Cells: r.cellTable(), CellsLeft: max(0, len(d.Cells)-maxCells),
	}
	var text bytes.Buffer
	if err := page.Execute(&text, v); err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	return text.Bytes(), nil
}

// parts are the page's style and script.
func parts() (style, script string, err error) {
	text := map[string]string{}
	for _, name := range []string{"page.css", "page.js", "timeline.js"} {
		read, err := files.ReadFile(name)
		if err != nil {
			return "", "", fmt.Errorf("page: %w", err)
		}
		text[name] = string(read)
	}
	return text["page.css"], text["page.js"] + text["timeline.js"], nil
}

// hash is how a Content-Security-Policy names an inline style or script that it allows.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
