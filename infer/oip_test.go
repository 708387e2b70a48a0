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
