// SPDX-License-Identifier: Apache-2.0

package driver

import (
	"time"

	sdkmodels "github.com/edgexfoundry/device-sdk-go/v3/pkg/models"

	"edgex-offload/device-service/properties"
)

// settings are the section Driver of the configuration.
type settings struct {
	maxFrameBytes  int
	maxFramePixels int
	failuresToDown int
	retryMin       time.Duration
	retryMax       time.Duration
	cameraFolders  string // where discovery looks for folders of photos; empty is nowhere
}

func readSettings(section map[string]string) (settings, error) {
	values := make(map[string]any, len(section))
	for key, value := range section {
		values[key] = value
	}
	p := properties.Read("Driver", values)
	s := settings{
		maxFrameBytes:  int(p.Integer("MaxFrameBytes", 4_000_000, 1_000, sdkmodels.MaxBinaryBytes)),
		maxFramePixels: int(p.Integer("MaxFramePixels", 40_000_000, 1_000, 1_000_000_000)),
		failuresToDown: int(p.Integer("FailuresToDown", 3, 1, 1_000)),
		retryMin:       p.Duration("RetryMin", time.Second, time.Millisecond, time.Hour),
		retryMax:       p.Duration("RetryMax", 30*time.Second, time.Millisecond, 24*time.Hour),
		cameraFolders:  p.Text("CameraFolders", ""),
	}
	if s.retryMax < s.retryMin {
		p.Failf("RetryMax", "%v: allowed is RetryMin (%v) and more", s.retryMax, s.retryMin)
	}
	return s, p.Err()
}
