// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// remoteBackend takes anything and keeps what it was asked for.
type remoteBackend struct {
	fakeBackend
	source Source
}

func (b *remoteBackend) Load(ctx context.Context, s Source) (Graph, error) {
	b.source = s
	s.ONNX = []byte("1")
	return b.fakeBackend.Load(ctx, s)
}

func putSpec(t *testing.T, dir, name, yaml string) {
	t.Helper()
	path := filepath.Join(dir, name, "1")
	require.NoError(t, os.MkdirAll(path, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(path, SpecFile), []byte(yaml), 0o644))
}

func TestAModelServersModelNeedsNoGraphHere(t *testing.T) {
	dir := t.TempDir()
	putSpec(t, dir, "far", tinyImage+"backend: oip\noip: {version: \"3\"}\n")
	putSpec(t, dir, "sum", tinyImage+"backend: oip\nsha256: "+sha(64)+"\n")
	putSpec(t, dir, "here", tinyImage)
	b := &remoteBackend{}
	r, err := Open(Options{Dir: dir, Backend: Backends{OIP: b, ONNX: &fakeBackend{}}, Rescan: time.Hour})
	require.NoError(t, err)
	defer r.Close()
	require.NoError(t, r.Wait(t.Context()))
	assert.Equal(t, map[string]State{"far/1": Ready, "sum/1": Failed, "here/1": Failed}, statesOf(r))
	assert.Nil(t, b.source.ONNX)
	assert.Equal(t, Served{Model: "far", Version: "3"}, b.source.Spec.OIP)
	assert.Equal(t, "far/1", b.source.Name+"/"+b.source.Version)
	assert.Contains(t, r.Models()[2].Error, "model.onnx has a sum in model.yaml, and is not in the folder")
}

func sha(digits int) string {
	b := make([]byte, digits)
	for i := range b {
		b[i] = '0'
	}
	return string(b)
}

func TestAModelThatLostItsServerIsNotReadyAndComesBack(t *testing.T) {
	dir := t.TempDir()
	putSpec(t, dir, "far", tinyImage+"backend: oip\n")
	b := &remoteBackend{}
	changes := make(chan struct{}, 16)
	r, err := Open(Options{
		Dir: dir, Backend: Backends{OIP: b}, Rescan: 10 * time.Millisecond,
		OnChange: func() { changes <- struct{}{} },
	})
	require.NoError(t, err)
	defer r.Close()
	require.NoError(t, r.Wait(t.Context()))
	<-changes
	require.Equal(t, Ready, r.Models()[0].State)
	b.source.Lost(errors.New("server went away"))
	<-changes // lost
	<-changes // loaded again
	require.Equal(t, Ready, r.Models()[0].State)
	assert.Equal(t, 2, b.loads)
}

func TestABackendThatIsNotThereSaysWhatToSet(t *testing.T) {
	_, err := Backends{}.Load(t.Context(), Source{Spec: Spec{Backend: OIP}})
	assert.ErrorContains(t, err, "set Models.OIP.Address")
	_, err = Backends{}.Load(t.Context(), Source{Spec: Spec{Backend: ONNX}})
	assert.ErrorContains(t, err, `backend is "onnx"`)
}

func TestBackendKeysAreChecked(t *testing.T) {
	for yaml, want := range map[string]string{
		"backend: triton":                             `backend is "triton": allowed is onnx, oip`,
		"oip: {model: x}":                             `oip is given (model "x", version ""): allowed is with backend: oip alone`,
		"backend: oip\noip: {model: \"a\\nb\"}":       `oip.model is "a\nb"`,
		"backend: oip\noip: {name: x}":                `unknown key "oip.name": allowed here are model, version`,
		"backend: oip\noip: {version: \"\\u0007\"}":   `oip.version is "\a"`,
		"backend: oip\noip: {version: 1, model: [x]}": `oip.model is a list`,
	} {
		_, err := ParseSpec("m", []byte(tinyImage+yaml))
		assert.ErrorContains(t, err, want, yaml)
	}
}

// While the server is away an older version answers that needs none.
func TestAnOlderVersionAnswersWhileTheServerIsAway(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "m", "1", "1", tinyImage)
	path := filepath.Join(dir, "m", "2")
	require.NoError(t, os.MkdirAll(path, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(path, SpecFile), []byte(tinyImage+"backend: oip\n"), 0o644))
	far := &remoteBackend{}
	changes := make(chan struct{}, 64)
	r, err := Open(Options{
		Dir: dir, Backend: Backends{OIP: far, ONNX: &fakeBackend{}}, Rescan: time.Hour,
		OnChange: func() { changes <- struct{}{} },
	})
	require.NoError(t, err)
	defer r.Close()
	require.NoError(t, r.Wait(t.Context()))
	require.Equal(t, map[string]State{"m/1": Unloaded, "m/2": Ready}, statesOf(r))

	far.mu.Lock()
	far.missing = true
	lost := far.source.Lost
	far.mu.Unlock()
	lost(errors.New("server went away"))
	for statesOf(r)["m/1"] != Ready {
		<-changes
	}
	assert.Equal(t, Failed, statesOf(r)["m/2"])

	far.mu.Lock()
	far.missing = false
	far.mu.Unlock()
	require.NoError(t, r.Rescan(t.Context()))
	assert.Equal(t, Ready, statesOf(r)["m/2"])
	assert.NotEqual(t, Ready, statesOf(r)["m/1"])
}

func TestTensorsAreThoseOfTheVersionThatIsNamed(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "m", "1", "1", tinySignal)
	put(t, dir, "m", "2", "0", tinySignal)
	put(t, dir, "far", "1", "0", tinySignal+"runs_on: [cloud]\n")
	r, _ := repository(t, dir, Box)
	for _, version := range []string{"", "2"} {
		m, err := r.Tensors("m", version)
		require.NoError(t, err)
		assert.Equal(t, "m/2", m.Name+"/"+m.Version)
		var got []float32
		err = m.Run(t.Context(), 1, func(in [][]float32) error { assert.Len(t, in[0], 6); return nil }, func(out []Tensor) error {
			got = append(got, out[0].Data...)
			return nil
		})
		require.NoError(t, err)
		assert.Equal(t, []float32{9, 0}, got)
	}
	for name, want := range map[[2]string]error{
		{"m", "1"}: ErrNotReady, {"m", "3"}: ErrNoModel, {"none", ""}: ErrNoModel, {"far", ""}: ErrNotReady,
	} {
		_, err := r.Tensors(name[0], name[1])
		assert.ErrorIs(t, err, want, name)
	}
	m, err := r.Tensors("m", "2")
	require.NoError(t, err)
	late, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	assert.ErrorIs(t, m.Run(late, 1, nil, nil), context.DeadlineExceeded)
	require.NoError(t, r.Unload(t.Context(), "m"))
	assert.ErrorIs(t, m.Run(t.Context(), 1, nil, nil), ErrNotReady)
	require.NoError(t, r.Close())
	assert.ErrorIs(t, m.Run(t.Context(), 1, nil, nil), ErrClosed)
}
