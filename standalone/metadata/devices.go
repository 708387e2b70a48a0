// SPDX-License-Identifier: Apache-2.0

package metadata

import (
	"context"
	"net/http"

	"github.com/edgexfoundry/go-mod-core-contracts/v3/common"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos"
	dtocommon "github.com/edgexfoundry/go-mod-core-contracts/v3/dtos/common"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos/requests"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos/responses"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/errors"
	"github.com/google/uuid"
)

func (s *Server) getDevice(w http.ResponseWriter, r *http.Request) {
	device, err := s.device(r.PathValue(common.Name))
	if err != nil {
		refuse(w, err)
		return
	}
	respond(w, http.StatusOK, responses.NewDeviceResponse("", "", http.StatusOK, device))
}

func (s *Server) checkDevice(w http.ResponseWriter, r *http.Request) {
	if _, err := s.device(r.PathValue(common.Name)); err != nil {
		refuse(w, err)
		return
	}
	respond(w, http.StatusOK, dtocommon.NewBaseResponse("", "", http.StatusOK))
}

func (s *Server) device(name string) (dtos.Device, errors.EdgeX) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.devices.get(name)
}

func (s *Server) listDevices(w http.ResponseWriter, r *http.Request) { s.respondDevices(w, r, nil) }

func (s *Server) listDevicesOfService(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue(common.Name)
	s.respondDevices(w, r, func(d dtos.Device) bool { return d.ServiceName == name })
}

func (s *Server) listDevicesOfProfile(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue(common.Name)
	s.respondDevices(w, r, func(d dtos.Device) bool { return d.ProfileName == name })
}

func (s *Server) respondDevices(w http.ResponseWriter, r *http.Request, keep func(dtos.Device) bool) {
	s.mu.RLock()
	devices, total := page(r, s.devices.list(keep))
	s.mu.RUnlock()
	respond(w, http.StatusOK, responses.NewMultiDevicesResponse("", "", http.StatusOK, total, devices))
}

func (s *Server) addDevices(w http.ResponseWriter, r *http.Request) {
	batch(w, r, http.StatusCreated, func(req requests.AddDeviceRequest) result {
		device := req.Device
		device.Id = uuid.NewString()
		device.Created = nowMillis()
		device.Modified = device.Created
		err := s.addDevice(r.Context(), device)
		return result{requestID: req.RequestId, id: device.Id, err: err}
	})
}

// addDevice has the device validated without holding the lock: its service may ask back.
func (s *Server) addDevice(ctx context.Context, device dtos.Device) errors.EdgeX {
	if err := s.known(device.ServiceName, device.ProfileName); err != nil {
		return err
	}
	if err := s.validate(ctx, device); err != nil {
		return err
	}
	s.mu.Lock()
	err := s.devices.add(device.Name, device)
	s.mu.Unlock()
	if err == nil {
		s.announce(common.DeviceSystemEventType, common.SystemEventActionAdd, device.ServiceName, device)
	}
	return err
}

// known says whether a device's service and profile are registered.
func (s *Server) known(service, profile string) errors.EdgeX {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if _, err := s.services.get(service); err != nil {
		return err
	}
	if profile == "" {
		return nil // a provision watcher may leave the profile to the device service
	}
	_, err := s.profiles.get(profile)
	return err
}

func (s *Server) updateDevices(w http.ResponseWriter, r *http.Request) {
	batch(w, r, http.StatusOK, func(req requests.UpdateDeviceRequest) result {
		return result{requestID: req.RequestId, err: s.updateDevice(r.Context(), req.Device)}
	})
}

func (s *Server) updateDevice(ctx context.Context, patch dtos.UpdateDevice) errors.EdgeX {
	s.mu.RLock()
	old, err := s.devices.find(patch.Name, patch.Id, func(d dtos.Device) string { return d.Id })
	s.mu.RUnlock()
	if err != nil {
		return err
	}
	device := patched(old, patch)
	if err := s.known(device.ServiceName, device.ProfileName); err != nil {
		return err
	}
	if patch.Protocols != nil || patch.ProfileName != nil || patch.ServiceName != nil {
		if err := s.validate(ctx, device); err != nil {
			return err
		}
	}
	s.mu.Lock()
	// Between the two locks another update may have come: patch what is there now.
	if old, err = s.devices.get(device.Name); err == nil {
		device = patched(old, patch)
		s.devices.items[device.Name] = device
	}
	s.mu.Unlock()
	if err != nil {
		return err
	}
	s.announce(common.DeviceSystemEventType, common.SystemEventActionUpdate, device.ServiceName, device)
	if old.ServiceName != device.ServiceName {
		s.announce(common.DeviceSystemEventType, common.SystemEventActionUpdate, old.ServiceName, device)
	}
	return nil
}

func patched(device dtos.Device, patch dtos.UpdateDevice) dtos.Device {
	model := dtos.ToDeviceModel(device)
	requests.ReplaceDeviceModelFieldsWithDTO(&model, patch)
	changed := dtos.FromDeviceModelToDTO(model)
	changed.Created, changed.Modified = device.Created, nowMillis()
	return changed
}

func (s *Server) deleteDevice(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue(common.Name)
	s.mu.Lock()
	device, err := s.devices.get(name)
	delete(s.devices.items, name)
	s.mu.Unlock()
	if err != nil {
		refuse(w, err)
		return
	}
	s.announce(common.DeviceSystemEventType, common.SystemEventActionDelete, device.ServiceName, device)
	respond(w, http.StatusOK, dtocommon.NewBaseResponse("", "", http.StatusOK))
}
