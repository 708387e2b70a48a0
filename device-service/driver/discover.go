// SPDX-License-Identifier: Apache-2.0

package driver

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	sdkmodels "github.com/edgexfoundry/device-sdk-go/v3/pkg/models"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/models"

	"edgex-offload/device-service/camera"
)

// Discover offers each folder in Driver.CameraFolders as a camera; a provision watcher
// decides whether it becomes one. Cameras in the network are added by hand: to look for
// them, their credentials would have to be tried on whatever answers.
func (d *Driver) Discover() error {
	if d.settings.cameraFolders == "" {
		return errors.New("nothing to discover: Driver.CameraFolders names no folder whose folders are cameras")
	}
	entries, err := os.ReadDir(d.settings.cameraFolders)
	if err != nil {
		return fmt.Errorf("Driver.CameraFolders: %w", err)
	}
	var found []sdkmodels.DiscoveredDevice
	for _, entry := range entries {
		if !entry.IsDir() || checkName("device", entry.Name()) != nil {
			continue
		}
		path := filepath.Join(d.settings.cameraFolders, entry.Name())
		found = append(found, sdkmodels.DiscoveredDevice{
			Name:        entry.Name(),
			Description: "photos in " + path,
			Protocols:   map[string]models.ProtocolProperties{camera.Protocol: {"Kind": "folder", "Path": path}},
		})
	}
	select {
	case d.sdk.DiscoveredDeviceChannel() <- found:
		return nil
	default:
		return errors.New("the devices that were discovered before are still being added")
	}
}
