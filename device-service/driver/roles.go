// SPDX-License-Identifier: Apache-2.0

package driver

import (
	"fmt"
	"slices"

	"github.com/edgexfoundry/go-mod-core-contracts/v3/models"

	"edgex-offload/device-service/appmodels"
)

// roleAttribute is the attribute of a resource that says what it means to the driver.
const roleAttribute = "role"

// The roles.
const (
	roleSample  = "sample"  // what is captured
	roleRate    = "rate"    // Float64, samples per second
	roleEnabled = "enabled" // Bool
	roleStatus  = "status"  // String
	roleSent    = "sent"    // Uint64
	roleDropped = "dropped" // Uint64
	roleReasons = "reasons" // String, JSON object of counts
	roleOutcome = "outcome" // comes from the app service alone

	// Of a device that stands for models: String, the model's name; Bool for rescan.
	roleLoad     = appmodels.Load
	roleUnload   = appmodels.Unload
	roleRollback = appmodels.Rollback
	roleRescan   = appmodels.Rescan
)

func roleOf(attributes map[string]any) string {
	role, _ := attributes[roleAttribute].(string)
	return role
}

// withRole is the resource of a profile with a role: the named one, or, where name is
// empty, the first.
func withRole(profile models.DeviceProfile, role, name string) (models.DeviceResource, error) {
	i := slices.IndexFunc(profile.DeviceResources, func(r models.DeviceResource) bool {
		return roleOf(r.Attributes) == role && (name == "" || r.Name == name)
	})
	if i >= 0 {
		return profile.DeviceResources[i], nil
	}
	if name == "" {
		name = "a resource"
	}
	return models.DeviceResource{}, fmt.Errorf("profile %s lacks %s with attribute %s: %s", profile.Name, name, roleAttribute, role)
}
