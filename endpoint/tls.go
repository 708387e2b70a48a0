// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// TLS names the files that secure a connection, all in PEM. They are read for each
// handshake, so a renewed certificate is taken over without a restart.
type TLS struct {
	// Enabled turns TLS on; without it the other fields must be empty, so that nobody
	// believes to be protected who is not.
	Enabled bool
	// CA is the file of the authorities that the other side's certificate must come from.
	// A client without one trusts the system's. A server with one asks every client for a
	// certificate (mTLS).
	CA string
	// Cert and Key are this side's certificate and its key. A server needs them, a client
	// only where the server asks.
	Cert string
	Key  string
	// ServerName is the name that a client expects in the server's certificate; default is
	// the host of the address. It means nothing on a server.
	ServerName string
}

func (t TLS) validate() error {
	if !t.Enabled && t != (TLS{}) {
		return errors.New("TLS.Enabled false: allowed with CA, Cert, Key and ServerName empty; set it to true or remove them")
	}
	if (t.Cert == "") != (t.Key == "") {
		return fmt.Errorf("TLS.Cert %q with TLS.Key %q: allowed is both or none", t.Cert, t.Key)
	}
	return nil
}

// ValidateClient names the field that a client cannot do with.
func (t TLS) ValidateClient() error { return t.validate() }

// ValidateServer names the field that a server cannot do with.
func (t TLS) ValidateServer() error {
	if t.Enabled && t.Cert == "" {
		return errors.New(`TLS.Cert "": a server with TLS.Enabled needs TLS.Cert and TLS.Key`)
	}
	if t.ServerName != "" {
		return fmt.Errorf("TLS.ServerName %q: allowed on a client alone", t.ServerName)
	}
	return t.validate()
}

// ClientCredentials reads the files once, so that a wrong one is an error now, and again
// for each handshake.
func (t TLS) ClientCredentials() (credentials.TransportCredentials, error) {
	return t.credentials(t.clientConfig)
}

// ServerCredentials reads the files as ClientCredentials does.
func (t TLS) ServerCredentials() (credentials.TransportCredentials, error) {
	return t.credentials(t.serverConfig)
}

func (t TLS) credentials(read func() (*tls.Config, error)) (credentials.TransportCredentials, error) {
	if !t.Enabled {
		return insecure.NewCredentials(), nil
	}
	config, err := read()
	if err != nil {
		return nil, err
	}
	return &rereading{TransportCredentials: credentials.NewTLS(config), read: read}, nil
}

func (t TLS) clientConfig() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	var errs [2]error
	if t.CA != "" {
		config.RootCAs, errs[0] = readPool(t.CA)
	}
	if t.Cert != "" {
		config.Certificates, errs[1] = readPair(t.Cert, t.Key)
	}
	return config, errors.Join(errs[:]...)
}

func (t TLS) serverConfig() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	var errs [2]error
	config.Certificates, errs[0] = readPair(t.Cert, t.Key)
	if t.CA != "" {
		config.ClientAuth = tls.RequireAndVerifyClientCert
		config.ClientCAs, errs[1] = readPool(t.CA)
	}
	return config, errors.Join(errs[:]...)
}

// maxPEM bounds a file of certificates, in bytes.
const maxPEM = 1 << 20

func readPool(file string) (*x509.CertPool, error) {
	if info, err := os.Stat(file); err == nil && info.Size() > maxPEM {
		return nil, fmt.Errorf("TLS.CA %q: %d bytes: allowed is up to %d", file, info.Size(), maxPEM)
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("TLS.CA: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("TLS.CA %q: holds no certificate in PEM", file)
	}
	return pool, nil
}

func readPair(cert, key string) ([]tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("TLS.Cert %q with TLS.Key %q: %w", cert, key, err)
	}
	return []tls.Certificate{pair}, nil
}

// rereading is TLS whose files are read for each handshake. A file that cannot be read
// fails that handshake, with its name, and not the next.
type rereading struct {
	credentials.TransportCredentials
	read func() (*tls.Config, error)
}

func (r *rereading) ClientHandshake(ctx context.Context, authority string, conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	config, err := r.read()
	if err != nil {
		return nil, nil, err
	}
	return credentials.NewTLS(config).ClientHandshake(ctx, authority, conn)
}

func (r *rereading) ServerHandshake(conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	config, err := r.read()
	if err != nil {
		return nil, nil, err
	}
	return credentials.NewTLS(config).ServerHandshake(conn)
}

func (r *rereading) Clone() credentials.TransportCredentials {
	return &rereading{TransportCredentials: r.TransportCredentials.Clone(), read: r.read}
}
