// SPDX-License-Identifier: Apache-2.0

package sensor

import (
	"context"
	"fmt"
	"net/url"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"edgex-offload/device-service/properties"
	"edgex-offload/device-service/source"
)

// MQTTProtocol is the name under which a device carries the properties of an MQTT sensor.
const MQTTProtocol = "mqtt"

// Environment is what all MQTT sensors share.
type Environment struct {
	MaxBytes int // largest payload
	// CheckJPEG says why a picture cannot go on, or nil.
	CheckJPEG func(frame []byte) *source.Rejection
	// Secret looks up user and password by the name of a secret.
	Secret func(name string) (user, password string, err error)
	// ClientID makes the id of a connection, unique at its broker.
	ClientID func() string
}

// Resource is the resource that a sensor fills.
type Resource struct {
	Type      string // value type
	MediaType string // of a Binary
}

// subscription is a sensor whose values come as messages of one topic.
type subscription struct {
	broker      *url.URL
	topic       string
	qos         byte
	retained    bool
	decoder     Decoder
	shape       string
	maxBytes    int
	check       func(value any) *source.Rejection
	credentials func() (user, password string, err error)
	clientID    func() string
	anyCert     bool
}

// NewMQTT makes the sensor that the protocol properties describe, or says all that is
// wrong with them. It connects to nothing.
//
// Properties: Broker (mqtt://, tcp://, mqtts:// or ssl://), Topic (+ and # are allowed), QoS
// (0), Format (json or raw), JSONPath (such as data.axes[2].rms), Resource (which of the
// profile's resources it fills), Shape (of an array in a binary, such as 3x1024), User and
// Password or SecretName, AnyCertificate, Retained (false: a retained message, which may
// be old, is passed over), MessageRate (0: each message), Timeout (0: silence is no fault)
// and Enabled.
func NewMQTT(values map[string]any, resource Resource, env Environment) (source.Spec, error) {
	p := properties.Read(MQTTProtocol, values)
	s := &subscription{
		broker: p.URL("Broker", "mqtt", "tcp", "mqtts", "ssl"), topic: p.Required("Topic"),
		qos:      byte(p.Integer("QoS", 0, 0, 2)),
		retained: p.Bool("Retained", false), shape: p.Text("Shape", ""), anyCert: p.Bool("AnyCertificate", false),
		maxBytes: env.MaxBytes, clientID: env.ClientID,
		check: func(any) *source.Rejection { return nil },
	}
	if resource.MediaType == "image/jpeg" {
		s.check = func(value any) *source.Rejection { return env.CheckJPEG(value.([]byte)) }
	}
	path, err := ParsePath(p.Text("JSONPath", ""))
	if err != nil {
		p.Failf("JSONPath", "%v", err)
	}
	s.decoder = Decoder{
		Type: resource.Type, Float: resource.MediaType == FloatMediaType,
		JSON: p.OneOf("Format", "json", "raw") == "json", Path: path,
	}
	if !s.decoder.JSON && len(path) > 0 {
		p.Failf("JSONPath", "is for Format json alone")
	}
	p.Text("Resource", "") // read by the driver, which knows the profile
	s.credentials = readCredentials(p, env)
	spec := source.Spec{
		Source: s, Rate: p.Number("MessageRate", 0, 0, source.MaxRate), FreeRate: true,
		Enabled: p.Bool("Enabled", true), Silence: p.Duration("Timeout", 0, 0, 24*time.Hour),
	}
	if err := source.CheckRate(spec.Rate, true); err != nil {
		p.Failf("MessageRate", "%v", err)
	}
	return spec, p.Err()
}

// FloatMediaType marks a binary value as float32, little endian, one row after the other.
const FloatMediaType = "application/x-float32-le"

func readCredentials(p *properties.Reader, env Environment) func() (string, string, error) {
	user, password, secret := p.Text("User", ""), p.Text("Password", ""), p.Text("SecretName", "")
	if secret == "" {
		return func() (string, string, error) { return user, password, nil }
	}
	if user+password != "" {
		p.Failf("SecretName", "%q beside User or Password: allowed is one of the two ways", secret)
	}
	return func() (string, string, error) { return env.Secret(secret) }
}

// Run implements source.Source: one connection, until it is lost.
func (s *subscription) Run(ctx context.Context, feed *source.Feed) error {
	lost := make(chan error, 1)
	options, err := s.options(ctx, lost)
	if err != nil {
		return err
	}
	client := mqtt.NewClient(options)
	defer client.Disconnect(0)
	if err := wait(ctx, client.Connect(), "connect to "+s.broker.Redacted()); err != nil {
		return err
	}
	receive := func(_ mqtt.Client, m mqtt.Message) { s.receive(feed, m) }
	if err := wait(ctx, client.Subscribe(s.topic, s.qos, receive), fmt.Sprintf("subscribe to %q", s.topic)); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-lost:
		return fmt.Errorf("connection to %s lost: %w", s.broker.Redacted(), err)
	}
}

// receive takes one message. It is called by one message at a time and never blocks.
func (s *subscription) receive(feed *source.Feed, m mqtt.Message) {
	if m.Retained() && !s.retained {
		feed.Skip(source.Reject(source.Retained, "a message of unknown age on %q: allowed with Retained true", m.Topic()))
		return
	}
	if !feed.Due() {
		return
	}
	if len(m.Payload()) > s.maxBytes {
		feed.Reject(source.Reject(source.TooLarge, "%d bytes on %q: allowed are %d", len(m.Payload()), m.Topic(), s.maxBytes))
		return
	}
	value, err := s.decoder.Decode(m.Payload())
	if err != nil {
		feed.Reject(source.Reject(source.BadValue, "%q as %s: %v", m.Topic(), s.decoder.Type, err))
		return
	}
	if rejection := s.check(value); rejection != nil {
		feed.Reject(rejection)
		return
	}
	feed.Emit(source.Sample{Value: value, Shape: s.shape})
}
