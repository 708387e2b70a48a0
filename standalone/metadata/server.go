// SPDX-License-Identifier: Apache-2.0

package metadata

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/edgexfoundry/go-mod-core-contracts/v3/common"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos"
	dtocommon "github.com/edgexfoundry/go-mod-core-contracts/v3/dtos/common"
)

// version is the EdgeX release whose API this follows.
const version = "3.1.0"

// Bus is the message bus, as the process that holds the broker sees it.
type Bus interface {
	Publish(topic string, payload []byte) error
	// Subscribe calls handle, which does not block, until cancel is called.
	Subscribe(filter string, handle func(topic string, payload []byte)) (cancel func(), err error)
}

// Server is a running stand-in.
type Server struct {
	bus             Bus
	log             *slog.Logger
	validateTimeout time.Duration
	http            *http.Server
	port            int
	served          chan error

	mu       sync.RWMutex
	services registry[dtos.DeviceService]
	profiles registry[dtos.DeviceProfile]
	devices  registry[dtos.Device]
	watchers registry[dtos.ProvisionWatcher]
}

// Options of Start.
type Options struct {
	// Port on the loopback interface, 0 for a free one.
	Port int
	Bus  Bus
	Log  *slog.Logger
	// ValidateTimeout is how long a device service may take to validate a device;
	// 0 means 5 s, the real one's default.
	ValidateTimeout time.Duration
}

// Start serves until Close.
func Start(o Options) (*Server, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(o.Port)))
	if err != nil {
		return nil, fmt.Errorf("development core-metadata: %w", err)
	}
	if o.ValidateTimeout == 0 {
		o.ValidateTimeout = 5 * time.Second
	}
	s := &Server{
		bus:             o.Bus,
		log:             o.Log,
		validateTimeout: o.ValidateTimeout,
		port:            listener.Addr().(*net.TCPAddr).Port,
		served:          make(chan error, 1),
		services:        registry[dtos.DeviceService]{what: "device service", items: map[string]dtos.DeviceService{}},
		profiles:        registry[dtos.DeviceProfile]{what: "device profile", items: map[string]dtos.DeviceProfile{}},
		devices:         registry[dtos.Device]{what: "device", items: map[string]dtos.Device{}},
		watchers:        registry[dtos.ProvisionWatcher]{what: "provision watcher", items: map[string]dtos.ProvisionWatcher{}},
	}
	s.http = &http.Server{Handler: s.routes(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: time.Minute}
	go func() { s.served <- s.http.Serve(listener) }()
	s.log.Info("development stand-in for core-metadata, in memory, not for production", "port", s.port)
	return s, nil
}

// Port is the TCP port it listens on.
func (s *Server) Port() int { return s.port }

// Close ends it; requests under way have two seconds to end.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	if served := <-s.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+common.ApiPingRoute, func(w http.ResponseWriter, _ *http.Request) {
		respond(w, http.StatusOK, dtocommon.NewPingResponse(common.CoreMetaDataServiceKey))
	})
	mux.HandleFunc("GET "+common.ApiVersionRoute, func(w http.ResponseWriter, _ *http.Request) {
		respond(w, http.StatusOK, dtocommon.NewVersionResponse(version, common.CoreMetaDataServiceKey))
	})

	mux.HandleFunc("GET "+common.ApiDeviceServiceByNameRoute, s.getService)
	mux.HandleFunc("GET "+common.ApiAllDeviceServiceRoute, s.listServices)
	mux.HandleFunc("POST "+common.ApiDeviceServiceRoute, s.addServices)
	mux.HandleFunc("PATCH "+common.ApiDeviceServiceRoute, s.updateServices)

	mux.HandleFunc("GET "+common.ApiDeviceProfileByNameRoute, s.getProfile)
	mux.HandleFunc("GET "+common.ApiAllDeviceProfileRoute, s.listProfiles)
	mux.HandleFunc("POST "+common.ApiDeviceProfileRoute, s.addProfiles)
	mux.HandleFunc("PUT "+common.ApiDeviceProfileRoute, s.updateProfiles)
	mux.HandleFunc("DELETE "+common.ApiDeviceProfileByNameRoute, s.deleteProfile)

	mux.HandleFunc("GET "+common.ApiDeviceByNameRoute, s.getDevice)
	mux.HandleFunc("GET "+common.ApiDeviceNameExistsRoute, s.checkDevice)
	mux.HandleFunc("GET "+common.ApiAllDeviceRoute, s.listDevices)
	mux.HandleFunc("GET "+common.ApiDeviceByServiceNameRoute, s.listDevicesOfService)
	mux.HandleFunc("GET "+common.ApiDeviceByProfileNameRoute, s.listDevicesOfProfile)
	mux.HandleFunc("POST "+common.ApiDeviceRoute, s.addDevices)
	mux.HandleFunc("PATCH "+common.ApiDeviceRoute, s.updateDevices)
	mux.HandleFunc("DELETE "+common.ApiDeviceByNameRoute, s.deleteDevice)

	mux.HandleFunc("GET "+common.ApiProvisionWatcherByNameRoute, s.getWatcher)
	mux.HandleFunc("GET "+common.ApiAllProvisionWatcherRoute, s.listWatchers)
	mux.HandleFunc("GET "+common.ApiProvisionWatcherByServiceNameRoute, s.listWatchersOfService)
	mux.HandleFunc("POST "+common.ApiProvisionWatcherRoute, s.addWatchers)
	mux.HandleFunc("PATCH "+common.ApiProvisionWatcherRoute, s.updateWatchers)
	mux.HandleFunc("DELETE "+common.ApiProvisionWatcherByNameRoute, s.deleteWatcher)
	return mux
}
