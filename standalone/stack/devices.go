// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"edgex-offload/offload"
)

// devicesFolder in the run directory has this run's devices.
const devicesFolder = "devices"

// deviceFile is an EdgeX file of devices.
type deviceFile struct {
	DeviceList []device `yaml:"deviceList"`
}

type device struct {
	Name        string                    `yaml:"name"`
	ProfileName string                    `yaml:"profileName"`
	Protocols   map[string]map[string]any `yaml:"protocols"`
	Rest        map[string]any            `yaml:",inline"`
}

const (
	cameraProfile    = "offload-camera"
	vibrationProfile = "offload-vibration"
	cameraProtocol   = "camera"
)

// writeDevices puts this run's devices where the device service looks for them.
func (o Options) writeDevices(ctx context.Context, t task) error {
	devices, err := o.devices(ctx, t)
	if err != nil {
		return err
	}
	body, err := yaml.Marshal(deviceFile{DeviceList: devices})
	if err != nil {
		return fmt.Errorf("devices: %w", err)
	}
	folder := filepath.Join(o.Dir, devicesFolder)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("devices: %w", err)
	}
	return os.WriteFile(filepath.Join(folder, "devices.yaml"), body, 0o600)
}

// devices are the user's camera, or the synthetic sources that suit the task.
func (o Options) devices(ctx context.Context, t task) ([]device, error) {
	var devices []device
	if o.Camera != "" {
		properties, err := cameraProperties(ctx, o.Camera)
		if err != nil {
			return nil, err
		}
		devices = []device{{Name: "camera-1", ProfileName: cameraProfile, Protocols: map[string]map[string]any{cameraProtocol: properties}}}
	} else {
		shipped, err := readDevices(filepath.Join(o.Home, "res", "device-service", "devices"))
		if err != nil {
			return nil, err
		}
		for _, d := range shipped {
			if t.model == "" || (t.kind == offload.SignalClassification) == (d.ProfileName == vibrationProfile) {
				devices = append(devices, d)
			}
		}
	}
	for _, d := range devices {
		if camera := d.Protocols[cameraProtocol]; camera != nil && o.FrameRate > 0 {
			camera["FrameRate"] = o.FrameRate
		}
	}
	return devices, nil
}

func readDevices(folder string) ([]device, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("devices of %s: %w", folder, err)
	}
	var all []device
	for _, path := range paths {
		body, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("devices: %w", err)
		}
		var file deviceFile
		if err := yaml.Unmarshal(body, &file); err != nil {
			return nil, fmt.Errorf("devices of %s: %w", path, err)
		}
		all = append(all, file.DeviceList...)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("devices of %s: allowed is a folder with at least one device", folder)
	}
	return all, nil
}

// cameraProperties describes a user's camera in the device service's protocol properties.
func cameraProperties(ctx context.Context, camera string) (map[string]any, error) {
	if !strings.Contains(camera, "://") {
		return folderProperties(camera)
	}
	address, err := url.Parse(camera)
	if err != nil || (address.Scheme != "http" && address.Scheme != "https") || address.Host == "" {
		return nil, fmt.Errorf("camera %q: allowed is a folder of JPEG files, or an http(s) address of an MJPEG stream or a JPEG", redacted(camera))
	}
	properties := map[string]any{}
	if address.User != nil {
		password, _ := address.User.Password()
		properties["User"], properties["Password"] = address.User.Username(), password
		address.User = nil
	}
	properties["URL"] = address.String()
	kind, err := cameraKind(ctx, address.String(), properties)
	if err != nil {
		return nil, err
	}
	properties["Kind"] = kind
	return properties, nil
}

func redacted(camera string) string {
	if address, err := url.Parse(camera); err == nil {
		return address.Redacted()
	}
	return camera
}

func folderProperties(folder string) (map[string]any, error) {
	path, err := filepath.Abs(folder)
	if err != nil {
		return nil, fmt.Errorf("camera %q: %w", folder, err)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("camera %q: %w", folder, err)
	}
	for _, entry := range entries {
		if isJPEG(entry.Name()) {
			return map[string]any{"Kind": "folder", "Path": path}, nil
		}
	}
	return nil, fmt.Errorf("camera %q: allowed is a folder with at least one .jpg or .jpeg file", folder)
}

func isJPEG(name string) bool {
	extension := strings.ToLower(filepath.Ext(name))
	return extension == ".jpg" || extension == ".jpeg"
}

// cameraTimeout bounds the look at a camera's first answer.
const cameraTimeout = 10 * time.Second

// cameraKind asks the camera what it sends. One that wants digest credentials, which are
// the device service's business, is told by its address.
func cameraKind(ctx context.Context, address string, properties map[string]any) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, cameraTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", fmt.Errorf("camera %s: %w", address, err)
	}
	if user, ok := properties["User"].(string); ok {
		password, _ := properties["Password"].(string)
		request.SetBasicAuth(user, password)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", fmt.Errorf("camera %s: %w", address, err)
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.CopyN(io.Discard, response.Body, 1) // it is there
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	switch {
	case response.StatusCode == http.StatusUnauthorized && properties["User"] != nil:
		if isJPEG(request.URL.Path) {
			return "snapshot", nil
		}
		return "mjpeg", nil
	case response.StatusCode != http.StatusOK:
		return "", fmt.Errorf("camera %s: it answers %s", address, response.Status)
	case kind == "multipart/x-mixed-replace":
		return "mjpeg", nil
	case kind == "image/jpeg":
		return "snapshot", nil
	}
	return "", fmt.Errorf("camera %s: it sends %q: allowed are multipart/x-mixed-replace and image/jpeg", address, kind)
}
