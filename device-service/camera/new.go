// SPDX-License-Identifier: Apache-2.0

package camera

import (
	"time"

	"edgex-offload/device-service/properties"
	"edgex-offload/device-service/source"
	"edgex-offload/synth/conveyor"
)

// Protocol is the name under which a device carries the properties of a camera.
const Protocol = "camera"

// Environment is what all cameras share.
type Environment struct {
	Limits Limits
	// Secret looks up user and password by the name of a secret.
	Secret func(name string) (user, password string, err error)
}

// New makes the camera that the protocol properties of a device describe, or says all
// that is wrong with them. It connects to nothing.
//
// Every camera knows Kind (conveyor, folder, mjpeg, snapshot), FrameRate in frames per
// second, and Enabled. A folder has Path. mjpeg and snapshot have URL, User and Password
// or SecretName, Timeout (10s) and AnyCertificate; an mjpeg camera's FrameRate 0, the
// default, takes each frame that comes. The conveyor has Width, Height, Quality and Seed.
func New(values map[string]any, env Environment) (source.Spec, error) {
	p := properties.Read(Protocol, values)
	spec := source.Spec{Enabled: p.Bool("Enabled", true)}
	switch p.Choice("Kind", "conveyor", "folder", "mjpeg", "snapshot") {
	case "conveyor":
		spec.Rate = p.Number("FrameRate", 5, 0, source.MaxRate)
		spec.Source = &belt{
			seed:    p.Integer("Seed", 1, 0, 1<<53),
			width:   int(p.Integer("Width", 320, conveyor.MinSize, conveyor.MaxSize)),
			height:  int(p.Integer("Height", 240, conveyor.MinSize, conveyor.MaxSize)),
			quality: int(p.Integer("Quality", 85, 1, 100)),
		}
	case "folder":
		spec.Rate = p.Number("FrameRate", 5, 0, source.MaxRate)
		spec.Silence = 30 * time.Second // a mount that hangs
		spec.Source = &folder{path: p.Required("Path"), limits: env.Limits}
	case "mjpeg":
		spec.Rate, spec.FreeRate = p.Number("FrameRate", 0, 0, source.MaxRate), true
		spec.Silence = timeout(p)
		spec.Source = &mjpeg{web: readWeb(p, env), limits: env.Limits}
	case "snapshot":
		spec.Rate = p.Number("FrameRate", 1, 0, source.MaxRate)
		spec.Source = &snapshot{web: readWeb(p, env), limits: env.Limits, timeout: timeout(p)}
	}
	if err := source.CheckRate(spec.Rate, spec.FreeRate); err != nil && spec.Source != nil {
		p.Failf("FrameRate", "%v", err)
	}
	return spec, p.Err()
}

func timeout(p *properties.Reader) time.Duration {
	return p.Duration("Timeout", 10*time.Second, 100*time.Millisecond, 10*time.Minute)
}

func readWeb(p *properties.Reader, env Environment) *web {
	address := p.URL("URL", "http", "https")
	user, password, secret := p.Text("User", ""), p.Text("Password", ""), p.Text("SecretName", "")
	credentials := func() (string, string, error) { return user, password, nil }
	switch {
	case secret != "" && user+password != "":
		p.Failf("SecretName", "%q beside User or Password: allowed is one of the two ways", secret)
	case secret != "":
		credentials = func() (string, string, error) { return env.Secret(secret) }
	case password != "" && user == "":
		p.Failf("User", "is missing beside Password")
	}
	return newWeb(address, credentials, timeout(p), p.Bool("AnyCertificate", false))
}
