// SPDX-License-Identifier: Apache-2.0

package sensor

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

const (
	connectTimeout = 5 * time.Second
	keepAlive      = 10 * time.Second
	// What topic and header of a message may take beside its payload.
	packetOverhead = 128 << 10
)

// options are those of one connection. Its end is told to lost; there is no reconnecting
// below the supervisor.
func (s *subscription) options(ctx context.Context, lost chan<- error) (*mqtt.ClientOptions, error) {
	user, password, err := s.credentials()
	if err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	options := mqtt.NewClientOptions().
		AddBroker(s.broker.String()).SetClientID(s.clientID()).SetUsername(user).SetPassword(password).
		SetAutoReconnect(false).SetConnectRetry(false).SetCleanSession(true).SetOrderMatters(true).
		SetConnectTimeout(connectTimeout).SetKeepAlive(keepAlive).SetPingTimeout(keepAlive / 2).SetWriteTimeout(connectTimeout)
	options.SetConnectionLostHandler(func(_ mqtt.Client, err error) { lost <- err })
	options.SetCustomOpenConnectionFn(func(*url.URL, mqtt.ClientOptions) (net.Conn, error) { return s.dial(ctx) })
	return options, nil
}

func (s *subscription) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	secure := s.broker.Scheme == "mqtts" || s.broker.Scheme == "ssl"
	address := s.broker.Host
	if s.broker.Port() == "" {
		address = net.JoinHostPort(s.broker.Hostname(), map[bool]string{false: "1883", true: "8883"}[secure])
	}
	var conn net.Conn
	var err error
	if secure {
		config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: s.anyCert} //nolint:gosec // only where the device says so
		conn, err = (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", address)
	} else {
		conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", address)
	}
	if err != nil {
		return nil, err
	}
	return &boundedConn{Conn: conn, most: s.maxBytes + packetOverhead}, nil
}

// wait returns when token is done or ctx ends.
func wait(ctx context.Context, token mqtt.Token, what string) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-token.Done():
	}
	if err := token.Error(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// boundedConn ends a connection on which a packet larger than most is announced, before
// the client makes room for it: MQTT allows 256 MB, whoever may publish on the topic.
type boundedConn struct {
	net.Conn
	most int

	inHeader bool // the type was read, the length (MQTT 3.1.1, 2.2.3) is being read
	length   int
	shift    uint
	body     int // bytes of the packet that are still to come
}

// Read implements net.Conn.
func (c *boundedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if tooLarge := c.follow(p[:n]); tooLarge != nil {
		return 0, tooLarge
	}
	return n, err
}

func (c *boundedConn) follow(p []byte) error {
	for len(p) > 0 {
		switch {
		case c.body > 0:
			skip := min(c.body, len(p))
			c.body -= skip
			p = p[skip:]
		case !c.inHeader:
			c.inHeader, c.length, c.shift = true, 0, 0
			p = p[1:]
		default:
			c.length |= int(p[0]&0x7F) << c.shift
			if c.length > c.most || c.shift > 21 {
				return fmt.Errorf("a packet of %d bytes: allowed are %d", c.length, c.most)
			}
			if c.shift += 7; p[0]&0x80 == 0 {
				c.inHeader, c.body = false, c.length
			}
			p = p[1:]
		}
	}
	return nil
}
