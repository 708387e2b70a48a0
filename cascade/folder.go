// SPDX-License-Identifier: Apache-2.0

package cascade

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// mostFiles bounds a folder.
const mostFiles = 256

// member is what stands for one file of a folder. It is not changed.
type member struct {
	file    string
	content []byte
	// cascade is nil for a file that was never right. problem says what is wrong with the file
	// as it is now; there may be a cascade of before then.
	cascade *Cascade
	problem string
}

// look reads the files of a folder, by the names of their cascades. What became wrong since the
// look before goes on as it was.
func look(folder string, before map[string]*member) (map[string]*member, error) {
	paths, err := files(folder)
	if err != nil {
		return nil, err
	}
	now := map[string]*member{}
	for _, path := range paths {
		name, m := lookAt(path, before)
		if first := now[name]; first != nil {
			m = &member{file: path, problem: fmt.Sprintf("%s: name is %q, as that of %s: allowed is a name of its own", path, name, first.file)}
			name = filepath.Base(path)
		}
		now[name] = m
	}
	return now, nil
}

func lookAt(path string, before map[string]*member) (name string, m *member) {
	m = &member{file: path}
	var err error
	if m.content, err = read(path); err == nil {
		m.cascade, err = Parse(NameOf(path), m.content)
		if err != nil {
			err = fmt.Errorf("%s: %w", path, err)
		}
	}
	if err == nil {
		return m.cascade.Name, m
	}
	m.problem = err.Error()
	for name, old := range before {
		if old.file == path && old.cascade != nil {
			m.cascade = old.cascade
			m.problem += "; the one before is used"
			return name, m
		}
	}
	return NameOf(path), m
}

// files are the paths of the cascades in a folder, in order of name.
func files(folder string) ([]string, error) {
	dir, err := os.Open(folder)
	if err != nil {
		return nil, fmt.Errorf("cascades folder: %w", err)
	}
	defer func() { _ = dir.Close() }()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("cascades folder: %w", err)
	}
	names = slices.DeleteFunc(names, func(n string) bool {
		return strings.HasPrefix(n, ".") || filepath.Ext(n) != ".yaml" && filepath.Ext(n) != ".yml"
	})
	if len(names) > mostFiles {
		return nil, fmt.Errorf("cascades folder %s: %d files: allowed are up to %d", folder, len(names), mostFiles)
	}
	slices.Sort(names)
	for i, name := range names {
		names[i] = filepath.Join(folder, name)
	}
	return names, nil
}

// tell logs what changed between two looks.
func tell(log Logger, before, now map[string]*member) {
	for name, m := range now {
		old := before[name]
		switch {
		case m.problem != "" && (old == nil || old.problem != m.problem):
			log.Warnf("cascade %s: %s", name, m.problem)
		case m.problem == "" && (old == nil || old.problem != "" || !bytes.Equal(old.content, m.content)):
			log.Infof("cascade %s is ready: %d stages, output %s", name, len(m.cascade.Stages), strings.Join(m.cascade.Output, ", "))
		}
	}
	for name := range before {
		if now[name] == nil {
			log.Infof("cascade %s is gone from the folder", name)
		}
	}
}
