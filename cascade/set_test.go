// SPDX-License-Identifier: Apache-2.0

package cascade

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"edgex-offload/offload"
)

// log keeps what it is told.
type log struct{ bytes.Buffer }

func (l *log) Infof(format string, args ...any) { fmt.Fprintf(l, "INFO "+format+"\n", args...) }
func (l *log) Warnf(format string, args ...any) { fmt.Fprintf(l, "WARN "+format+"\n", args...) }

// said is what was logged since it was asked last, with the folder's path as "F".
func (l *log) said(folder string) string {
	text := strings.ReplaceAll(l.String(), folder, "F")
	l.Reset()
	return text
}

const small = "stages: [{name: what, does: classify, model: m}]\noutput: [what]\n"

func write(t *testing.T, folder, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
}

func newSet(t *testing.T, folder string) (*Set, *log) {
	t.Helper()
	l := &log{}
	s, err := NewSet(SetOptions{Folder: folder, Runner: newRunner(t, &engine{answer: threeFaces}, Options{}), Records: 2, Log: l})
	require.NoError(t, err)
	return s, l
}

func TestFolderIsFollowed(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "cascades")
	s, l := newSet(t, folder)
	require.Equal(t, "INFO cascades folder: open F: no such file or directory; it is looked at again\n", l.said(folder))
	s.Look()
	require.Empty(t, l.said(folder), "told once")
	require.Empty(t, s.Status(nil))

	require.NoError(t, os.Mkdir(folder, 0o755))
	write(t, folder, "people.yaml", people(t))
	write(t, folder, "part.yml", small)
	write(t, folder, "broken.yaml", "stages: 1")
	write(t, folder, "README.md", "no cascade")
	write(t, folder, ".hidden.yaml", "no cascade")
	require.NoError(t, os.Mkdir(filepath.Join(folder, "old.yaml"), 0o755))
	s.Look()
	said := l.said(folder)
	for _, want := range []string{
		"INFO cascade people is ready: 4 stages, output faces, who\n", "INFO cascade part is ready: 1 stages, output what\n",
		`WARN cascade broken: F/broken.yaml: line 1: stages is "1": allowed is a list`, "WARN cascade old: F/old.yaml: it is no file\n",
	} {
		require.Contains(t, said, want)
	}
	s.Look()
	require.Empty(t, l.said(folder), "nothing changed")

	// What becomes wrong goes on as it was, under its name; two of a name cannot be.
	write(t, folder, "people.yaml", strings.Replace(people(t), "name: people", "nam: people", 1))
	write(t, folder, "zzz.yaml", "name: part\n"+small)
	s.Look()
	said = l.said(folder)
	require.Contains(t, said, `WARN cascade people: F/people.yaml: line 2: unknown key "nam": allowed here are name, description, stages, output; the one before is used`)
	require.Contains(t, said, `WARN cascade zzz.yaml: F/zzz.yaml: name is "part", as that of F/part.yml: allowed is a name of its own`)
	status := s.Status(map[string][]string{"part": {"Tasks.a"}, "gone": {"Tasks.b", "Tasks.c"}})
	require.Len(t, status, 6)
	require.Equal(t, []bool{false, false, false, true, true, false},
		[]bool{status[0].Usable, status[1].Usable, status[2].Usable, status[3].Usable, status[4].Usable, status[5].Usable}) // broken, gone, old, part, people, zzz
	require.Equal(t, Status{
		Name: "gone", Problem: "no file in " + folder + " has a cascade of that name", NeededBy: []string{"Tasks.b", "Tasks.c"}, None: map[string]uint64{},
	}, status[1])
	require.Equal(t, Status{Name: "part", File: filepath.Join(folder, "part.yml"), Usable: true, Stages: []string{"what"}, NeededBy: []string{"Tasks.a"}, None: map[string]uint64{}}, status[3])
	require.Contains(t, status[4].Problem, "the one before is used")
	s.Look()
	require.Empty(t, l.said(folder), "told once")

	require.NoError(t, os.Remove(filepath.Join(folder, "part.yml")))
	write(t, folder, "people.yaml", people(t))
	s.Look()
	said = l.said(folder)
	require.Contains(t, said, "INFO cascade part is ready", "of zzz.yaml now")
	require.Contains(t, said, "INFO cascade people is ready")

	require.NoError(t, os.RemoveAll(folder))
	s.Look()
	require.Contains(t, l.said(folder), "cascades folder: open F")
	require.True(t, s.Status(nil)[3].Usable, "a folder that is gone for a moment costs nothing")
}

func TestSetCountsAndKeepsSummaries(t *testing.T) {
	folder := t.TempDir()
	write(t, folder, "people.yaml", people(t))
	write(t, folder, "broken.yaml", "stages: 1")
	s, _ := newSet(t, folder)
	task := offload.Task{ID: "t1", Source: "gate/Frame", Payload: photo(t)}
	require.Equal(t, "part 3 0", s.Do(t.Context(), "people", task).Answer.Label)
	task.ID, task.Payload = "t2", []byte("no picture")
	require.NotNil(t, s.Do(t.Context(), "people", task).Answer)

	for name, want := range map[string]string{
		"broken": `cascade broken: ` + folder + `/broken.yaml: line 1: stages is "1": allowed is a list, as in [a, b]`,
		"other":  "cascade other: no file in " + folder + " has a cascade of that name",
	} {
		o := s.Do(t.Context(), name, task)
		require.Equal(t, offload.NoPath, o.Reason)
		require.Equal(t, want, o.Record.Error)
		require.Equal(t, "gate/Frame", o.Record.Source)
		require.Contains(t, offload.Explain(&o.Record), "It ended as no_path: cascade "+name)
	}
	status := s.Status(map[string][]string{"other": {"Tasks.x"}})
	require.Equal(t, map[string]uint64{"no_path": 1}, status[0].None)
	require.Equal(t, map[string]uint64{"no_path": 1}, status[1].None)
	require.Equal(t, []uint64{1, 1}, []uint64{status[2].Complete, status[2].Partial})

	require.Empty(t, s.Find("t1", 9), "two are kept")
	require.Len(t, s.Find("t2", 9), 2)
	require.Len(t, s.Find("t2", 1), 1)
}

func TestFollowLooksWithEachTick(t *testing.T) {
	folder := t.TempDir()
	s, _ := newSet(t, folder)
	write(t, folder, "part.yaml", small)
	ctx, cancel := context.WithCancel(t.Context())
	tick, ended := make(chan time.Time), make(chan struct{})
	go func() { defer close(ended); s.Follow(ctx, tick) }()
	tick <- time.Time{}
	tick <- time.Time{} // taken once the look of the first has ended
	require.Len(t, s.Status(nil), 1)
	cancel()
	<-ended
}

func TestSetOptions(t *testing.T) {
	_, err := NewSet(SetOptions{})
	require.ErrorContains(t, err, "Runner is nil")
	_, err = NewSet(SetOptions{Runner: &Runner{}, Records: -1})
	require.ErrorContains(t, err, "Records -1: allowed is 1 to 100000")
}
