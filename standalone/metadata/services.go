// SPDX-License-Identifier: Apache-2.0

package metadata

import (
	"net/http"

	"github.com/edgexfoundry/go-mod-core-contracts/v3/common"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos/requests"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos/responses"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/errors"
	"github.com/google/uuid"
)

func (s *Server) getService(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	service, err := s.services.get(r.PathValue(common.Name))
	s.mu.RUnlock()
	if err != nil {
		refuse(w, err)
		return
	}
	respond(w, http.StatusOK, responses.NewDeviceServiceResponse("", "", http.StatusOK, service))
}

func (s *Server) listServices(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	services, total := page(r, s.services.list(nil))
	s.mu.RUnlock()
	respond(w, http.StatusOK, responses.NewMultiDeviceServicesResponse("", "", http.StatusOK, total, services))
}

func (s *Server) addServices(w http.ResponseWriter, r *http.Request) {
	batch(w, r, http.StatusCreated, func(req requests.AddDeviceServiceRequest) result {
		service := req.Service
		service.Id = uuid.NewString()
		service.Created = nowMillis()
		service.Modified = service.Created
		s.mu.Lock()
		err := s.services.add(service.Name, service)
		s.mu.Unlock()
		if err == nil {
			s.announce(common.DeviceServiceSystemEventType, common.SystemEventActionAdd, service.Name, service)
		}
		return result{requestID: req.RequestId, id: service.Id, err: err}
	})
}

func (s *Server) updateServices(w http.ResponseWriter, r *http.Request) {
	batch(w, r, http.StatusOK, func(req requests.UpdateDeviceServiceRequest) result {
		service, err := s.updateService(req.Service)
		if err == nil {
			s.announce(common.DeviceServiceSystemEventType, common.SystemEventActionUpdate, service.Name, service)
		}
		return result{requestID: req.RequestId, err: err}
	})
}

func (s *Server) updateService(patch dtos.UpdateDeviceService) (dtos.DeviceService, errors.EdgeX) {
	s.mu.Lock()
	defer s.mu.Unlock()
	service, err := s.services.find(patch.Name, patch.Id, func(d dtos.DeviceService) string { return d.Id })
	if err != nil {
		return service, err
	}
	model := dtos.ToDeviceServiceModel(service)
	requests.ReplaceDeviceServiceModelFieldsWithDTO(&model, patch)
	changed := dtos.FromDeviceServiceModelToDTO(model)
	changed.Created, changed.Modified = service.Created, nowMillis()
	s.services.items[changed.Name] = changed
	return changed, nil
}
