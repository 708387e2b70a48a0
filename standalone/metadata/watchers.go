// SPDX-License-Identifier: Apache-2.0

package metadata

import (
	"net/http"

	"github.com/edgexfoundry/go-mod-core-contracts/v3/common"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos"
	dtocommon "github.com/edgexfoundry/go-mod-core-contracts/v3/dtos/common"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos/requests"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos/responses"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/errors"
	"github.com/google/uuid"
)

func (s *Server) getWatcher(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	watcher, err := s.watchers.get(r.PathValue(common.Name))
	s.mu.RUnlock()
	if err != nil {
		refuse(w, err)
		return
	}
	respond(w, http.StatusOK, responses.NewProvisionWatcherResponse("", "", http.StatusOK, watcher))
}

func (s *Server) listWatchers(w http.ResponseWriter, r *http.Request) { s.respondWatchers(w, r, nil) }

func (s *Server) listWatchersOfService(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue(common.Name)
	s.respondWatchers(w, r, func(pw dtos.ProvisionWatcher) bool { return pw.ServiceName == name })
}

func (s *Server) respondWatchers(w http.ResponseWriter, r *http.Request, keep func(dtos.ProvisionWatcher) bool) {
	s.mu.RLock()
	watchers, total := page(r, s.watchers.list(keep))
	s.mu.RUnlock()
	respond(w, http.StatusOK, responses.NewMultiProvisionWatchersResponse("", "", http.StatusOK, total, watchers))
}

func (s *Server) addWatchers(w http.ResponseWriter, r *http.Request) {
	batch(w, r, http.StatusCreated, func(req requests.AddProvisionWatcherRequest) result {
		watcher := req.ProvisionWatcher
		watcher.Id = uuid.NewString()
		watcher.Created = nowMillis()
		watcher.Modified = watcher.Created
		err := s.addWatcher(watcher)
		if err == nil {
			s.announce(common.ProvisionWatcherSystemEventType, common.SystemEventActionAdd, watcher.ServiceName, watcher)
		}
		return result{requestID: req.RequestId, id: watcher.Id, err: err}
	})
}

func (s *Server) addWatcher(watcher dtos.ProvisionWatcher) errors.EdgeX {
	if err := s.known(watcher.ServiceName, watcher.DiscoveredDevice.ProfileName); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watchers.add(watcher.Name, watcher)
}

func (s *Server) updateWatchers(w http.ResponseWriter, r *http.Request) {
	batch(w, r, http.StatusOK, func(req requests.UpdateProvisionWatcherRequest) result {
		watcher, err := s.updateWatcher(req.ProvisionWatcher)
		if err == nil {
			s.announce(common.ProvisionWatcherSystemEventType, common.SystemEventActionUpdate, watcher.ServiceName, watcher)
		}
		return result{requestID: req.RequestId, err: err}
	})
}

func (s *Server) updateWatcher(patch dtos.UpdateProvisionWatcher) (dtos.ProvisionWatcher, errors.EdgeX) {
	s.mu.Lock()
	defer s.mu.Unlock()
	watcher, err := s.watchers.find(patch.Name, patch.Id, func(pw dtos.ProvisionWatcher) string { return pw.Id })
	if err != nil {
		return watcher, err
	}
	model := dtos.ToProvisionWatcherModel(watcher)
	requests.ReplaceProvisionWatcherModelFieldsWithDTO(&model, patch)
	changed := dtos.FromProvisionWatcherModelToDTO(model)
	changed.Created, changed.Modified = watcher.Created, nowMillis()
	s.watchers.items[changed.Name] = changed
	return changed, nil
}

func (s *Server) deleteWatcher(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue(common.Name)
	s.mu.Lock()
	watcher, err := s.watchers.get(name)
	delete(s.watchers.items, name)
	s.mu.Unlock()
	if err != nil {
		refuse(w, err)
		return
	}
	s.announce(common.ProvisionWatcherSystemEventType, common.SystemEventActionDelete, watcher.ServiceName, watcher)
	respond(w, http.StatusOK, dtocommon.NewBaseResponse("", "", http.StatusOK))
}
