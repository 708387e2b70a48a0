// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"edgex-offload/internal/wholefile"
)

// SignatureFile holds the Ed25519 signature (RFC 8032) over the bytes of model.yaml: 64 of
// them as they are, or in base64. The sums in model.yaml make it one over all files.
const SignatureFile = SpecFile + ".sig"

// maxKeyBytes bounds the files of keys and signatures.
const maxKeyBytes = 16 << 10

// verify checks the signature of a version's model.yaml.
func verify(key ed25519.PublicKey, dir string, raw []byte) error {
	path := filepath.Join(dir, SignatureFile)
	text, err := readSmall(path, maxKeyBytes)
	if err != nil {
		return fmt.Errorf("signature: %w: sign the folder (offload model sign), or configure no public key", err)
	}
	signature := text
	if len(text) != ed25519.SignatureSize {
		if signature, err = base64.StdEncoding.DecodeString(strings.TrimSpace(string(text))); err != nil || len(signature) != ed25519.SignatureSize {
			return fmt.Errorf("signature: %s has %d bytes: allowed are %d, or those in base64", path, len(text), ed25519.SignatureSize)
		}
	}
	if !ed25519.Verify(key, raw, signature) {
		return fmt.Errorf("signature: %s is not one of the configured key over %s: it was changed after it was signed, or signed with another key", path, SpecFile)
	}
	return nil
}

// ReadPublicKey reads an Ed25519 public key in PEM, as `openssl pkey -pubout` writes it.
func ReadPublicKey(path string) (ed25519.PublicKey, error) {
	block, err := readPEM(path, "PUBLIC KEY")
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKIXPublicKey(block)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	public, is := key.(ed25519.PublicKey)
	if !is {
		return nil, fmt.Errorf("%s holds a %T: allowed is an Ed25519 key, as from openssl genpkey -algorithm ed25519", path, key)
	}
	return public, nil
}

// ReadPrivateKey reads an Ed25519 private key in PEM, as `openssl genpkey` writes it.
func ReadPrivateKey(path string) (ed25519.PrivateKey, error) {
	block, err := readPEM(path, "PRIVATE KEY")
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(block)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	private, is := key.(ed25519.PrivateKey)
	if !is {
		return nil, fmt.Errorf("%s holds a %T: allowed is an Ed25519 key, as from openssl genpkey -algorithm ed25519", path, key)
	}
	return private, nil
}

func readPEM(path, kind string) ([]byte, error) {
	text, err := readSmall(path, maxKeyBytes)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != kind {
		return nil, fmt.Errorf("%s: allowed is PEM with a %s", path, kind)
	}
	return block.Bytes, nil
}

// Sign writes the sums of all files of a version's folder into its model.yaml, and the
// signature beside it. What model.yaml says otherwise stays as it is, with its comments.
func Sign(dir string, key ed25519.PrivateKey) (Spec, error) {
	path := filepath.Join(dir, SpecFile)
	raw, err := readSmall(path, maxSpecBytes)
	if err != nil {
		return Spec{}, err
	}
	name := filepath.Base(filepath.Dir(dir))
	if _, err := ParseSpec(name, raw); err != nil {
		return Spec{}, fmt.Errorf("%s: %w", path, err)
	}
	have, err := contentOf(dir, nil)
	if err != nil {
		return Spec{}, err
	}
	if _, is := have[GraphFile]; !is {
		return Spec{}, fmt.Errorf("%s is missing in %s", GraphFile, dir)
	}
	signed := withSums(string(raw), have)
	spec, err := ParseSpec(name, []byte(signed))
	if err == nil {
		err = spec.compare(have, true)
	}
	if err != nil {
		return Spec{}, fmt.Errorf("%s: the sums could not be written into it: write sha256 and files as keys of their own lines, or take them out: %w", path, err)
	}
	text := base64.StdEncoding.EncodeToString(ed25519.Sign(key, []byte(signed))) + "\n"
	return spec, errors.Join(
		wholefile.Replace(path, []byte(signed), signedMode), wholefile.Replace(filepath.Join(dir, SignatureFile), []byte(text), signedMode),
	)
}

// signedMode: services of other users read what is signed.
const signedMode = 0o644

var (
	sumLine   = regexp.MustCompile(`(?m)^sha256:.*\n?`)
	filesPart = regexp.MustCompile(`(?m)^files:.*\n?([ \t-].*\n?)*`)
)

// withSums puts the sums into the text of a model.yaml, in place of what was there.
func withSums(text string, have sums) string {
	text = filesPart.ReplaceAllString(sumLine.ReplaceAllString(text, ""), "")
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	text += fmt.Sprintf("sha256: %x\n", have[GraphFile])
	var others []string
	for name := range have {
		if !slices.Contains([]string{SpecFile, GraphFile, SignatureFile}, name) {
			others = append(others, name)
		}
	}
	slices.Sort(others)
	for i, name := range others {
		if i == 0 {
			text += "files:\n"
		}
		text += fmt.Sprintf("  - {name: %q, sha256: %x}\n", name, have[name])
	}
	return text
}
