// SPDX-License-Identifier: Apache-2.0

package config

import (
	"encoding/json"
	"sync"
)

// Service is what the app SDK loads and shows at /api/v3/config. Set and MarshalJSON may
// be called by several goroutines.
type Service struct {
	Offload Offload

	mu sync.Mutex
}

// NewService returns the defaults, to load a configuration over.
func NewService() *Service { return &Service{Offload: Default()} }

// UpdateFromRaw takes over a whole configuration. The SDK asks for it.
func (s *Service) UpdateFromRaw(raw any) bool {
	other, ok := raw.(*Service)
	if ok {
		s.Set(other.Offload)
	}
	return ok
}

// Set takes over a whole section.
func (s *Service) Set(section Offload) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Offload = section
}

// SetWritable takes over the part that may change.
func (s *Service) SetWritable(w Writable) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Offload.Writable = w
}

// MarshalJSON is called by the route /api/v3/config while a change may be under way.
func (s *Service) MarshalJSON() ([]byte, error) {
	s.mu.Lock()
	section := s.Offload
	s.mu.Unlock()
	return json.Marshal(struct{ Offload Offload }{section})
}
