// SPDX-License-Identifier: Apache-2.0

package camera

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Credentials gives user and password; they are asked for at each connection, so that a
// changed secret is taken over. An empty user means that there are none.
type Credentials func() (user, password string, err error)

const (
	dialTimeout  = 5 * time.Second
	maxRedirects = 3
)

// web fetches one address, with credentials where the camera asks for them: Digest where
// it is offered, so that the password does not cross the network, else Basic. It is used
// by one goroutine at a time.
type web struct {
	address     *url.URL
	credentials Credentials
	client      *http.Client
	authorize   authorizer // what the camera asked for last
}

// newWeb makes a client that waits timeout for the header of an answer.
func newWeb(address *url.URL, credentials Credentials, timeout time.Duration, anyCertificate bool) *web {
	return &web{
		address: address, credentials: credentials,
		client: &http.Client{
			CheckRedirect: checkRedirect(address),
			Transport: &http.Transport{
				DialContext:            (&net.Dialer{Timeout: dialTimeout}).DialContext,
				TLSHandshakeTimeout:    dialTimeout,
				ResponseHeaderTimeout:  timeout,
				MaxResponseHeaderBytes: 64 << 10,
				MaxIdleConnsPerHost:    1,
				IdleConnTimeout:        time.Minute,
				DisableCompression:     true,
				TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: anyCertificate}, //nolint:gosec // only where the device says so
			},
		},
	}
}

// checkRedirect keeps a camera from sending us, and the password, to another host.
func checkRedirect(from *url.URL) func(*http.Request, []*http.Request) error {
	return func(to *http.Request, via []*http.Request) error {
		switch {
		case len(via) > maxRedirects:
			return fmt.Errorf("more than %d redirects", maxRedirects)
		case to.URL.Hostname() != from.Hostname():
			return fmt.Errorf("redirect to host %q: allowed is %q alone", to.URL.Hostname(), from.Hostname())
		case from.Scheme == "https" && to.URL.Scheme != "https":
			return errors.New("redirect from https to http")
		}
		return nil
	}
}

// get returns an answer with status 200, whose body the caller closes.
func (w *web) get(ctx context.Context) (*http.Response, error) {
	user, password, err := w.credentials()
	if err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	address := w.address
	for asked := false; ; asked = true {
		response, err := w.send(ctx, address, user, password)
		if err != nil {
			return nil, err
		}
		if response.StatusCode == http.StatusOK {
			return response, nil
		}
		// Read to keep the connection, but not whatever it sends.
		_, _ = io.CopyN(io.Discard, response.Body, 4<<10)
		response.Body.Close()
		if response.StatusCode != http.StatusUnauthorized {
			return nil, fmt.Errorf("the camera answered %s", shorten(response.Status))
		}
		if user == "" {
			return nil, errors.New("the camera asks for credentials: set User and Password, or SecretName")
		}
		if asked {
			return nil, fmt.Errorf("the camera refuses user %q or the password", user)
		}
		if w.authorize, err = challenged(response.Header.Values("WWW-Authenticate")); err != nil {
			return nil, err
		}
		address = response.Request.URL
	}
}

func (w *web) send(ctx context.Context, address *url.URL, user, password string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "image/jpeg, multipart/x-mixed-replace")
	if w.authorize != nil && user != "" {
		request.Header.Set("Authorization", w.authorize(request.Method, address.RequestURI(), user, password))
	}
	return w.client.Do(request)
}

// close ends idle connections.
func (w *web) close() { w.client.CloseIdleConnections() }
