// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// keyPair is a new key with its two files, as openssl writes them.
func keyPair(t *testing.T) (private ed25519.PrivateKey, privateFile, publicFile string) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	dir := t.TempDir()
	write := func(name, kind string, der []byte, err error) string {
		require.NoError(t, err)
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
		return path
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	privateFile = write("key.pem", "PRIVATE KEY", der, err)
	der, err = x509.MarshalPKIXPublicKey(public)
	publicFile = write("public.pem", "PUBLIC KEY", der, err)
	return private, privateFile, publicFile
}

func TestOnlySignedModelsAreLoaded(t *testing.T) {
	private, _, publicFile := keyPair(t)
	public, err := ReadPublicKey(publicFile)
	require.NoError(t, err)
	other, _, _ := keyPair(t)
	dir := t.TempDir()
	version := func(name string) string { return filepath.Join(dir, name, "1") }
	for _, name := range []string{"bare", "base64", "raw", "other-key", "changed-yaml", "changed-onnx", "extra", "listed", "changed-listed", "short"} {
		put(t, dir, name, "1", "1", "# kept\n"+tinyImage+"accuracy: 0.5\n")
	}
	sign := func(name string, key ed25519.PrivateKey) {
		_, err := Sign(version(name), key)
		require.NoError(t, err)
	}
	write := func(name, file, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(version(name), file), []byte(text), 0o644))
	}
	write("listed", "vocab.txt", "a")
	write("changed-listed", "vocab.txt", "a")
	for _, name := range []string{"base64", "raw", "changed-yaml", "changed-onnx", "extra", "listed", "changed-listed", "short"} {
		sign(name, private)
	}
	sign("other-key", other)
	yaml, err := os.ReadFile(filepath.Join(version("raw"), SpecFile))
	require.NoError(t, err)
	assert.Contains(t, string(yaml), "# kept\n")
	assert.Contains(t, string(yaml), "accuracy: 0.5\n")
	write("raw", SignatureFile, string(ed25519.Sign(private, yaml)))
	write("changed-yaml", SpecFile, string(yaml)+"# more\n")
	write("changed-onnx", GraphFile, "2")
	write("extra", "weights.bin", "x")
	write("changed-listed", "vocab.txt", "b")
	write("short", SignatureFile, "abcd")

	r := repositoryOn(t, &fakeBackend{}, Options{Dir: dir, PublicKey: public})
	want := map[string]string{
		"base64": "", "raw": "", "listed": "",
		"bare":           "sign the folder (offload model sign)",
		"other-key":      "changed after it was signed, or signed with another key",
		"changed-yaml":   "changed after it was signed",
		"changed-onnx":   "the file is another one, or damaged",
		"extra":          "files: sha256 of weights.bin is missing",
		"changed-listed": "files: sha256 of vocab.txt is",
		"short":          "has 4 bytes: allowed are 64, or those in base64",
	}
	for _, s := range r.Models() {
		if want[s.Name] == "" {
			assert.Equal(t, Ready, s.State, "%s: %s", s.Name, s.Error)
			continue
		}
		assert.Equal(t, Failed, s.State, s.Name)
		assert.Contains(t, s.Error, want[s.Name], s.Name)
	}
	assert.Len(t, r.Models(), len(want))
}

func TestSignAgainChangesOnlyTheSums(t *testing.T) {
	private, privateFile, _ := keyPair(t)
	same, err := ReadPrivateKey(privateFile)
	require.NoError(t, err)
	assert.Equal(t, private, same)
	dir := t.TempDir()
	put(t, dir, "m", "1", "1", tinyImage+"# the end")
	folder := filepath.Join(dir, "m", "1")
	require.NoError(t, os.WriteFile(filepath.Join(folder, "b.bin"), nil, 0o644))
	texts := [2][2]string{}
	for i := range texts {
		_, err := Sign(folder, private)
		require.NoError(t, err)
		for j, file := range []string{SpecFile, SignatureFile} {
			text, err := os.ReadFile(filepath.Join(folder, file))
			require.NoError(t, err)
			texts[i][j] = string(text)
		}
	}
	assert.Equal(t, texts[0], texts[1])
	assert.Contains(t, texts[0][0], tinyImage+"# the end\nsha256: 6b86b273")

	for text, want := range map[string]string{
		"kind: NONSENSE\n": `kind is "NONSENSE"`,
		"{kind: IMAGE_CLASSIFICATION, input: {type: image, width: 4, height: 4}, decoder: classification, labels: [a, b]}\n": "the sums could not be written",
	} {
		put(t, dir, "m", "1", "1", text)
		_, err := Sign(folder, private)
		assert.ErrorContains(t, err, want)
	}
	require.NoError(t, os.Remove(filepath.Join(folder, GraphFile)))
	put(t, dir, "n", "1", "1", tinyImage)
	require.NoError(t, os.Remove(filepath.Join(dir, "n", "1", GraphFile)))
	_, err = Sign(filepath.Join(dir, "n", "1"), private)
	assert.ErrorContains(t, err, "model.onnx is missing")
}

func TestKeysOfAnotherKindAreRefused(t *testing.T) {
	_, privateFile, publicFile := keyPair(t)
	_, err := ReadPublicKey(privateFile)
	assert.ErrorContains(t, err, "allowed is PEM with a PUBLIC KEY")
	_, err = ReadPrivateKey(publicFile)
	assert.ErrorContains(t, err, "allowed is PEM with a PRIVATE KEY")
	_, err = ReadPublicKey(filepath.Join(t.TempDir(), "none"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}

// FuzzSums: whatever a model.yaml looks like, the sums that are put into it are found again,
// or it is refused.
func FuzzSums(f *testing.F) {
	f.Add(tinyImage)
	f.Add(tinyImage + "sha256: abc\nfiles:\n- {name: a, sha256: b}\n\n# c\naccuracy: 1\n")
	f.Add("files: [\n]\nsha256: |\n  a\n")
	f.Fuzz(func(t *testing.T, text string) {
		have := sums{SpecFile: {1}, GraphFile: {2}, "vocab.txt": {3}}
		spec, err := ParseSpec("m", []byte(withSums(text, have)))
		if err != nil {
			return
		}
		if err := spec.compare(have, true); err != nil {
			t.Fatalf("%v\n%s", err, withSums(text, have))
		}
	})
}
