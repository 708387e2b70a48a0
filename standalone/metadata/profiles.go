// SPDX-License-Identifier: Apache-2.0

package metadata

import (
	"fmt"
	"net/http"

	"github.com/edgexfoundry/go-mod-core-contracts/v3/common"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos"
	dtocommon "github.com/edgexfoundry/go-mod-core-contracts/v3/dtos/common"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos/requests"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos/responses"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/errors"
	"github.com/google/uuid"
)

func (s *Server) getProfile(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	profile, err := s.profiles.get(r.PathValue(common.Name))
	s.mu.RUnlock()
	if err != nil {
		refuse(w, err)
		return
	}
	respond(w, http.StatusOK, responses.NewDeviceProfileResponse("", "", http.StatusOK, profile))
}

func (s *Server) listProfiles(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	profiles, total := page(r, s.profiles.list(nil))
	s.mu.RUnlock()
	respond(w, http.StatusOK, responses.NewMultiDeviceProfilesResponse("", "", http.StatusOK, total, profiles))
}

func (s *Server) addProfiles(w http.ResponseWriter, r *http.Request) {
	batch(w, r, http.StatusCreated, func(req requests.DeviceProfileRequest) result {
		profile := req.Profile
		profile.Id = uuid.NewString()
		profile.Created = nowMillis()
		profile.Modified = profile.Created
		s.mu.Lock()
		err := s.profiles.add(profile.Name, profile)
		s.mu.Unlock()
		return result{requestID: req.RequestId, id: profile.Id, err: err}
	})
}

func (s *Server) updateProfiles(w http.ResponseWriter, r *http.Request) {
	batch(w, r, http.StatusOK, func(req requests.DeviceProfileRequest) result {
		owners, profile, err := s.updateProfile(req.Profile)
		for _, owner := range owners {
			s.announce(common.DeviceProfileSystemEventType, common.SystemEventActionUpdate, owner, profile)
		}
		return result{requestID: req.RequestId, err: err}
	})
}

// updateProfile returns the services that have devices of the profile.
func (s *Server) updateProfile(profile dtos.DeviceProfile) ([]string, dtos.DeviceProfile, errors.EdgeX) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, err := s.profiles.get(profile.Name)
	if err != nil {
		return nil, profile, err
	}
	profile.Id, profile.Created, profile.Modified = old.Id, old.Created, nowMillis()
	s.profiles.items[profile.Name] = profile
	return s.ownersOf(profile.Name), profile, nil
}

// ownersOf lists the services that have devices of a profile, each once.
func (s *Server) ownersOf(profile string) []string {
	var owners []string
	seen := map[string]bool{}
	for _, device := range s.devices.list(func(d dtos.Device) bool { return d.ProfileName == profile }) {
		if !seen[device.ServiceName] {
			seen[device.ServiceName] = true
			owners = append(owners, device.ServiceName)
		}
	}
	return owners
}

func (s *Server) deleteProfile(w http.ResponseWriter, r *http.Request) {
	if err := s.removeProfile(r.PathValue(common.Name)); err != nil {
		refuse(w, err)
		return
	}
	respond(w, http.StatusOK, dtocommon.NewBaseResponse("", "", http.StatusOK))
}

func (s *Server) removeProfile(name string) errors.EdgeX {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.profiles.get(name); err != nil {
		return err
	}
	if owners := s.ownersOf(name); len(owners) > 0 {
		return errors.NewCommonEdgeX(errors.KindStatusConflict, fmt.Sprintf("device profile '%s' is used by devices of %v", name, owners), nil)
	}
	delete(s.profiles.items, name)
	return nil
}
