// SPDX-License-Identifier: Apache-2.0

package camera

import (
	"crypto/md5" //nolint:gosec // RFC 7616 digests of older cameras
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"strings"
)

// authorizer makes the Authorization header of a request.
type authorizer func(method, uri, user, password string) string

// challenged picks the best of what the camera offers: Digest before Basic.
func challenged(offers []string) (authorizer, error) {
	var fallback authorizer
	for _, offer := range offers {
		scheme, rest, _ := strings.Cut(strings.TrimSpace(offer), " ")
		switch strings.ToLower(scheme) {
		case "digest":
			if d, ok := parseDigest(rest); ok {
				return d.authorize, nil
			}
		case "basic":
			fallback = basic
		}
	}
	if fallback == nil {
		return nil, fmt.Errorf("the camera asks for %q: allowed are Basic and Digest with MD5 or SHA-256", shorten(strings.Join(offers, "; ")))
	}
	return fallback, nil
}

func basic(_, _, user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// digest answers challenges after RFC 7616, and RFC 2069 where the camera names no
// quality of protection.
type digest struct {
	realm, nonce, opaque string
	algorithm            string
	newHash              func() hash.Hash
	session, qop         bool
	count                uint32 // uses of nonce
}

func parseDigest(challenge string) (*digest, bool) {
	p := parameters(challenge)
	d := &digest{realm: p["realm"], nonce: p["nonce"], opaque: p["opaque"], algorithm: p["algorithm"]}
	name, session := strings.CutSuffix(strings.ToUpper(d.algorithm), "-SESS")
	d.session = session
	switch name {
	case "", "MD5":
		d.newHash = md5.New
	case "SHA-256":
		d.newHash = sha256.New
	default:
		return nil, false
	}
	if qop, ok := p["qop"]; ok {
		d.qop = slices.ContainsFunc(strings.Split(qop, ","), func(q string) bool { return strings.TrimSpace(q) == "auth" })
		if !d.qop {
			return nil, false
		}
	}
	return d, d.nonce != ""
}

func (d *digest) authorize(method, uri, user, password string) string {
	d.count++
	count, client := fmt.Sprintf("%08x", d.count), rand.Text()
	secret := d.hash(user, d.realm, password)
	if d.session {
		secret = d.hash(secret, d.nonce, client)
	}
	request := d.hash(method, uri)
	response := d.hash(secret, d.nonce, request)
	if d.qop {
		response = d.hash(secret, d.nonce, count, client, "auth", request)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Digest username=%s, realm=%s, nonce=%s, uri=%s, response=%q", quote(user), quote(d.realm), quote(d.nonce), quote(uri), response)
	if d.algorithm != "" {
		fmt.Fprintf(&b, ", algorithm=%s", d.algorithm)
	}
	if d.opaque != "" {
		fmt.Fprintf(&b, ", opaque=%s", quote(d.opaque))
	}
	if d.qop || d.session {
		fmt.Fprintf(&b, ", cnonce=%q", client)
	}
	if d.qop {
		fmt.Fprintf(&b, ", qop=auth, nc=%s", count)
	}
	return b.String()
}

func (d *digest) hash(parts ...string) string {
	h := d.newHash()
	h.Write([]byte(strings.Join(parts, ":")))
	return hex.EncodeToString(h.Sum(nil))
}

// quote writes a quoted-string of RFC 9110; line ends, which a header cannot hold, are
// left out.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\r", "", "\n", "").Replace(s) + `"`
}

// parameters reads key=value and key="value", separated by commas.
func parameters(s string) map[string]string {
	p := map[string]string{}
	for s != "" {
		key, rest, found := strings.Cut(s, "=")
		if !found {
			break
		}
		var value string
		if quoted, ok := strings.CutPrefix(rest, `"`); ok {
			value, rest = unquote(quoted)
			_, rest, _ = strings.Cut(rest, ",")
		} else {
			value, rest, _ = strings.Cut(rest, ",")
			value = strings.TrimSpace(value)
		}
		p[strings.ToLower(strings.Trim(key, " \t,"))] = value
		s = rest
	}
	return p
}

// unquote reads up to the closing quote and returns what comes after it.
func unquote(s string) (value, rest string) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:]
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), ""
}
