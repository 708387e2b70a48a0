// SPDX-License-Identifier: Apache-2.0

// Command device-service brings cameras and sensors into EdgeX: key device-sensor-camera,
// port 59950. README.md in this folder says how to configure it.
package main

import (
	"github.com/edgexfoundry/device-sdk-go/v3/pkg/startup"

	"edgex-offload/device-service/driver"
)

const serviceKey = "device-sensor-camera"

// version is set when the binary is linked.
var version = "0.0.0"

func main() {
	startup.Bootstrap(serviceKey, version, driver.New())
}
