// SPDX-License-Identifier: Apache-2.0

package metadata

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/edgexfoundry/go-mod-core-contracts/v3/errors"
)

// maxItems bounds each registry: more than any development desk has.
const maxItems = 10000

// registry holds one kind of object by name. The Server's mutex guards it.
type registry[T any] struct {
	what  string
	items map[string]T
}

func (r *registry[T]) get(name string) (T, errors.EdgeX) {
	item, found := r.items[name]
	if !found {
		return item, errors.NewCommonEdgeX(errors.KindEntityDoesNotExist, fmt.Sprintf("%s '%s' does not exist", r.what, name), nil)
	}
	return item, nil
}

func (r *registry[T]) add(name string, item T) errors.EdgeX {
	if _, found := r.items[name]; found {
		return errors.NewCommonEdgeX(errors.KindDuplicateName, fmt.Sprintf("%s name '%s' already exists", r.what, name), nil)
	}
	if len(r.items) >= maxItems {
		return errors.NewCommonEdgeX(errors.KindLimitExceeded, fmt.Sprintf("%s '%s': at most %d are kept", r.what, name, maxItems), nil)
	}
	r.items[name] = item
	return nil
}

// list is sorted by name and keeps what the filter lets through; nil keeps all.
func (r *registry[T]) list(keep func(T) bool) []T {
	found := make([]T, 0, len(r.items))
	for _, name := range slices.Sorted(maps.Keys(r.items)) {
		if item := r.items[name]; keep == nil || keep(item) {
			found = append(found, item)
		}
	}
	return found
}

// find looks an object up by name or, without a name, by id, as an update may.
func (r *registry[T]) find(name, id *string, idOf func(T) string) (T, errors.EdgeX) {
	if name != nil {
		return r.get(*name)
	}
	for _, item := range r.items {
		if id != nil && idOf(item) == *id {
			return item, nil
		}
	}
	var none T
	return none, errors.NewCommonEdgeX(errors.KindEntityDoesNotExist, fmt.Sprintf("no %s with this id", r.what), nil)
}

func nowMillis() int64 { return time.Now().UnixMilli() }
