// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/endpoint"
)

// authority makes certificates for a test.
type authority struct {
	dir  string
	name string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, name string) authority {
	t.Helper()
	a := authority{dir: t.TempDir(), name: name}
	var err error
	a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	require.NoError(t, err)
	a.cert, err = x509.ParseCertificate(raw)
	require.NoError(t, err)
	a.write(t, "ca.pem", "CERTIFICATE", raw)
	return a
}

func (a authority) file(name string) string { return filepath.Join(a.dir, name) }

func (a authority) write(t *testing.T, name, kind string, raw []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(a.file(name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw}), 0o600))
}

// issue writes <host>.pem and <host>.key.
func (a authority) issue(t *testing.T, host string, ends time.Time) endpoint.TLS {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: ends, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	require.NoError(t, err)
	rawKey, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	a.write(t, host+".pem", "CERTIFICATE", raw)
	a.write(t, host+".key", "PRIVATE KEY", rawKey)
	return endpoint.TLS{Enabled: true, Cert: a.file(host + ".pem"), Key: a.file(host + ".key")}
}

// secured is TLS for a server and for a client that trusts it.
func secured(t *testing.T) (server, client endpoint.TLS) {
	t.Helper()
	ours := newAuthority(t, "ours")
	return ours.issue(t, "cloud.test", time.Now().Add(time.Hour)),
		endpoint.TLS{Enabled: true, CA: ours.file("ca.pem"), ServerName: "cloud.test"}
}

func TestTLS(t *testing.T) {
	ours, theirs := newAuthority(t, "ours"), newAuthority(t, "theirs")
	hour := time.Now().Add(time.Hour)
	server, client, stranger := ours.issue(t, "cloud.test", hour), ours.issue(t, "box.test", hour), theirs.issue(t, "box.test", hour)
	mutual := server
	mutual.CA = ours.file("ca.pem")
	trusting := func(c endpoint.TLS, ca authority, name string) endpoint.TLS {
		c.Enabled, c.CA, c.ServerName = true, ca.file("ca.pem"), name
		return c
	}
	for name, c := range map[string]struct {
		server, client endpoint.TLS
		reason         string // "" for a link that works
	}{
		"TLS":                  {server, trusting(endpoint.TLS{}, ours, "cloud.test"), ""},
		"mTLS":                 {mutual, trusting(client, ours, "cloud.test"), ""},
		"other authority":      {server, trusting(endpoint.TLS{}, theirs, "cloud.test"), "certificate signed by unknown authority"},
		"other name":           {server, trusting(endpoint.TLS{}, ours, "peer.test"), "certificate is valid for cloud.test, not peer.test"},
		"no certificate":       {mutual, trusting(endpoint.TLS{}, ours, "cloud.test"), "certificate required"},
		"stranger":             {mutual, trusting(stranger, ours, "cloud.test"), "tls: certificate required"},
		"client without TLS":   {server, endpoint.TLS{}, ""},
		"server without TLS":   {endpoint.TLS{}, trusting(endpoint.TLS{}, ours, "cloud.test"), "first record does not look like a TLS handshake"},
		"system's authorities": {server, endpoint.TLS{Enabled: true, ServerName: "cloud.test"}, "unknown authority"},
	} {
		t.Run(name, func(t *testing.T) {
			_, address := serve(t, ServerConfig{TLS: c.server})
			client := newClient(t, ClientConfig{Address: address, TLS: c.client, ReconnectMin: 10 * time.Millisecond, ReconnectMax: 10 * time.Millisecond})
			if name == "client without TLS" {
				ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
				defer cancel()
				assert.Equal(t, Unreachable, ClassOf(client.WaitReady(ctx)))
				return
			}
			if c.reason != "" {
				require.Eventually(t, func() bool {
					_, err := client.Offload(soon(t), task("t"), nil)
					if err == nil {
						return false
					}
					return ClassOf(err) == Unreachable && strings.Contains(err.Error(), c.reason)
				}, 20*time.Second, 5*time.Millisecond)
				return
			}
			require.NoError(t, client.WaitReady(soon(t)))
			_, err := client.Offload(soon(t), task("t"), nil)
			require.NoError(t, err)
		})
	}
}

// A certificate that was renewed is taken over, on both sides, without a restart.
func TestRenewedCertificateIsTakenOver(t *testing.T) {
	ours := newAuthority(t, "ours")
	past := time.Now().Add(-time.Hour)
	server := ours.issue(t, "cloud.test", past)
	server.CA = ours.file("ca.pem")
	box := ours.issue(t, "box.test", past)
	box.CA, box.ServerName = ours.file("ca.pem"), "cloud.test"

	_, address := serve(t, ServerConfig{TLS: server})
	client := newClient(t, ClientConfig{Address: address, TLS: box, ReconnectMin: 10 * time.Millisecond, ReconnectMax: 10 * time.Millisecond})
	require.Eventually(t, func() bool {
		_, err := client.Probe(soon(t))
		return err != nil && strings.Contains(err.Error(), "certificate has expired")
	}, 20*time.Second, 5*time.Millisecond)

	ours.issue(t, "cloud.test", time.Now().Add(time.Hour))
	ours.issue(t, "box.test", time.Now().Add(time.Hour))
	require.NoError(t, client.WaitReady(soon(t)))
	_, err := client.Offload(soon(t), task("t"), nil)
	require.NoError(t, err)
}
