// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"edgex-offload/offload"
)

// Options say what to run.
type Options struct {
	// Home has res/, profiles/ and, unless Models says otherwise, models/.
	Home string
	// Bin has the services' binaries.
	Bin string
	// Dir is the run directory. It is made when it is missing.
	Dir string
	// Link is the emulated link between app-service and cloud-service.
	Link Link
	// Camera is "" for the synthetic sources, a folder of JPEG files, or the http(s)
	// address of an MJPEG stream or a JPEG.
	Camera string
	// Models is the models' folder, "" for Home's. Model is the one to run, "" for what
	// the services' configuration asks for.
	Models, Model string
	// Policy, Deadline and FrameRate (of cameras, per second) replace the configuration's
	// where they are set.
	Policy    string
	Deadline  time.Duration
	FrameRate float64
	// Ports are taken where they are free, others where not; 0 is any free one.
	Ports Ports
	// Progress is told each step, for people.
	Progress func(format string, args ...any)
}

// Ports that are asked for.
type Ports struct{ Broker, Metadata, Device, App, Cloud, CloudHTTP, Link int }

// DefaultPorts are those of EdgeX and of the services. The link has none of its own.
func DefaultPorts() Ports {
	return Ports{Broker: 1883, Metadata: 59881, Device: 59950, App: 59740, Cloud: 50051, CloudHTTP: 50052}
}

// From are the ports in a row from a base on, in place of the defaults.
func From(base int) Ports {
	return Ports{Broker: base, Metadata: base + 1, Device: base + 2, App: base + 3, Cloud: base + 4, CloudHTTP: base + 5, Link: base + 6}
}

// The services' keys, and names in a run.
const (
	DeviceService = "device-service"
	AppService    = "app-service"
	CloudService  = "cloud-service"

	deviceKey = "device-sensor-camera"
	appKey    = "app-offload"
)

// Validate names what is wrong, its value and what is allowed.
func (o Options) Validate() error {
	var errs []error
	bad := func(ok bool, option string, value any, allowed string) {
		if !ok {
			errs = append(errs, fmt.Errorf("%s %v: allowed is %s", option, value, allowed))
		}
	}
	bad(o.Policy == "" || slices.Contains(offload.Policies(), o.Policy), "policy", strconv.Quote(o.Policy), strings.Join(offload.Policies(), ", "))
	bad(o.Deadline == 0 || o.Deadline >= time.Millisecond && o.Deadline <= time.Hour, "deadline", o.Deadline, "1ms to 1h")
	bad(o.FrameRate == 0 || o.FrameRate >= .01 && o.FrameRate <= 1000, "fps", o.FrameRate, "0.01 to 1000")
	for _, needed := range []string{"res/common/configuration.yaml", "res/app-service/configuration.yaml", "res/device-service/configuration.yaml", "profiles"} {
		_, err := os.Stat(filepath.Join(o.Home, needed))
		bad(err == nil, "home", o.Home, "a folder that has "+needed)
	}
	for _, service := range []string{DeviceService, AppService, CloudService} {
		_, err := os.Stat(filepath.Join(o.Bin, service))
		bad(err == nil, "bin", o.Bin, "a folder that has "+service+" (make build)")
	}
	return errors.Join(errs...)
}

// addresses are where everything listens in this run.
type addresses struct {
	broker, metadata, device, app, cloud, cloudHTTP int
	link                                            string // host:port
}

// environment of each service. Every key is one of its configuration file.
func (o Options) environment(service string, at addresses, task task) []string {
	port := strconv.Itoa
	edgex := []string{
		"EDGEX_SECURITY_SECRET_STORE=false",
		"EDGEX_STARTUP_DURATION=30",
		"EDGEX_STARTUP_INTERVAL=1",
		"WRITABLE_TELEMETRY_INTERVAL=0s",
		"SERVICE_HOST=127.0.0.1",
		"MESSAGEBUS_HOST=127.0.0.1",
		"MESSAGEBUS_PORT=" + port(at.broker),
		"CLIENTS_CORE_METADATA_HOST=127.0.0.1",
		"CLIENTS_CORE_METADATA_PORT=" + port(at.metadata),
	}
	switch service {
	case DeviceService:
		return append(edgex,
			"SERVICE_PORT="+port(at.device),
			"DEVICE_PROFILESDIR="+filepath.Join(o.Home, "profiles"),
			"DEVICE_DEVICESDIR="+filepath.Join(o.Dir, devicesFolder),
			"DEVICE_PROVISIONWATCHERSDIR="+filepath.Join(o.Home, "res", "device-service", "provisionwatchers"),
		)
	case AppService:
		env := append(edgex,
			"SERVICE_PORT="+port(at.app),
			"OFFLOAD_MODELS_FOLDER="+o.modelsFolder(),
			"OFFLOAD_TARGETS_CLOUD_ADDRESS="+at.link,
			"OFFLOAD_DECISIONLOG=5000",
		)
		if o.Policy != "" {
			env = append(env, "OFFLOAD_WRITABLE_POLICY="+o.Policy)
		}
		return append(env, task.environment(o.Deadline)...)
	default:
		return []string{
			"CLOUD_ADDRESS=127.0.0.1:" + port(at.cloud),
			"CLOUD_HTTP_ADDRESS=127.0.0.1:" + port(at.cloudHTTP),
			"CLOUD_MODELS_DIR=" + o.modelsFolder(),
			"CLOUD_NAME=cloud",
		}
	}
}

// arguments of each service.
func (o Options) arguments(service string) []string {
	if service == CloudService {
		return nil
	}
	return []string{
		"-cc=" + filepath.Join(o.Home, "res", "common", "configuration.yaml"),
		"-cd=" + filepath.Join(o.Home, "res", service),
	}
}

func (o Options) modelsFolder() string {
	if o.Models != "" {
		return o.Models
	}
	return filepath.Join(o.Home, "models")
}
