// SPDX-License-Identifier: Apache-2.0

package driver

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos/requests"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/models"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

func TestWhatIsWrongWithADevice(t *testing.T) {
	mqtt := func(resource string) map[string]models.ProtocolProperties {
		return map[string]models.ProtocolProperties{"mqtt": {"Broker": "mqtt://x", "Topic": "t", "Resource": resource}}
	}
	for _, test := range []struct {
		name, profile string
		protocols     map[string]models.ProtocolProperties
		want          string // empty: nothing
	}{
		{"cam-1", "offload-camera", belt(), ""},
		{"Cam_1~:;=", "offload-camera", belt(), ""},
		{"cam-1", "a-profile-yet-unknown", belt(), ""},
		{"motor", "offload-mqtt-sensor", mqtt(""), ""},
		{"motor", "offload-mqtt-sensor", mqtt("Window"), ""},
		{"cam.1", "offload-camera", belt(), `device name "cam.1": allowed are`},
		{"cam/1", "offload-camera", belt(), `device name "cam/1"`},
		{"cam#", "offload-camera", belt(), `device name "cam#"`},
		{"cam+1", "offload-camera", belt(), `device name "cam+1"`},
		{"Kamera ä", "offload-camera", belt(), `device name "Kamera ä"`},
		{strings.Repeat("x", 129), "offload-camera", belt(), "1 to 128 letters"},
		{"cam-1", "my.profile", belt(), `profile name "my.profile"`},
		{"cam-1", "offload-camera", nil, "protocols []: allowed is exactly one of camera, machine, mqtt"},
		{"cam-1", "offload-camera", map[string]models.ProtocolProperties{"camera": {}, "mqtt": {}}, "protocols [camera mqtt]"},
		{"cam-1", "offload-camera", belt("Colour", "red"), "camera.Colour is not known"},
		{"cam-1", "a-profile-yet-unknown", belt("Colour", "red"), "camera.Colour is not known"},
		{"cam-1", "offload-mqtt-sensor", belt(), "resource Value of value type Float64: a camera fills Binary"},
		{"motor", "offload-mqtt-sensor", mqtt("Speed"), "profile offload-mqtt-sensor lacks Speed with attribute role: sample"},
	} {
		t.Run(test.name+" "+test.want, func(t *testing.T) {
			d := New()
			require.NoError(t, d.Initialize(newFakeSDK(t)))
			err := d.ValidateDevice(models.Device{Name: test.name, ProfileName: test.profile, Protocols: test.protocols})
			if test.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, test.want)
		})
	}
}

// What is shipped is what core-metadata takes and the driver understands.
func TestShippedProfiles(t *testing.T) {
	outcome := map[string]string{
		"Label": "String", "Confidence": "Float32", "Route": "String", "LatencyMs": "Float64", "Reason": "String",
		"DeadlineMet": "Bool", "Objects": "String", "TaskId": "String", "Values": "String",
	}
	roles := []string{roleSample, roleRate, roleEnabled, roleStatus, roleSent, roleDropped, roleReasons}
	files, err := filepath.Glob("../../profiles/*.yaml")
	require.NoError(t, err)
	require.Len(t, files, 4)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			profile := readProfile(t, file)
			assert.Equal(t, strings.TrimSuffix(filepath.Base(file), ".yaml"), profile.Name)
			require.NoError(t, new(requests.DeviceProfileRequest).UnmarshalJSON(mustJSON(t, requests.NewDeviceProfileRequest(profile))))
			found, outcomes := map[string]bool{}, map[string]string{}
			for _, r := range profile.DeviceResources {
				require.NoError(t, checkName("resource", r.Name))
				found[roleOf(r.Attributes)] = true
				if roleOf(r.Attributes) == roleOutcome {
					outcomes[r.Name] = r.Properties.ValueType
					assert.True(t, r.IsHidden, r.Name)
				}
			}
			want := slices.Concat(roles, []string{roleOutcome})
			switch profile.Name {
			case "offload-models": // what it brings is no task
				want = slices.Concat(roles, []string{roleLoad, roleUnload, roleRollback, roleRescan})
				assert.Empty(t, outcomes)
			case "offload-camera": // cascades are for pictures
				stages := maps.Clone(outcome)
				stages["Stages"] = "String"
				assert.Equal(t, stages, outcomes)
			default:
				assert.Equal(t, outcome, outcomes)
			}
			assert.ElementsMatch(t, want, slices.Collect(maps.Keys(found)))
		})
	}
}

func TestShippedDevices(t *testing.T) {
	files, err := filepath.Glob("../../res/device-service/devices/*")
	require.NoError(t, err)
	require.Len(t, files, 3)
	d := New()
	require.NoError(t, d.Initialize(newFakeSDK(t)))
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		var list struct {
			DeviceList []dtos.Device `yaml:"deviceList"`
		}
		require.NoError(t, yaml.Unmarshal(content, &list), file)
		require.NotEmpty(t, list.DeviceList)
		for _, device := range list.DeviceList {
			assert.NoError(t, d.ValidateDevice(dtos.ToDeviceModel(device)), device.Name)
		}
	}
}

func TestShippedSettings(t *testing.T) {
	content, err := os.ReadFile("../../res/device-service/configuration.yaml")
	require.NoError(t, err)
	var configuration struct {
		MaxEventSize int64             `yaml:"MaxEventSize"` // KB
		Driver       map[string]string `yaml:"Driver"`
	}
	require.NoError(t, yaml.Unmarshal(content, &configuration))
	shipped, err := readSettings(configuration.Driver)
	require.NoError(t, err)
	assert.Len(t, configuration.Driver, 6, "every setting is in the file")
	bare, err := readSettings(nil)
	require.NoError(t, err)
	assert.Equal(t, bare, shipped, "the file says the defaults")
	assert.Greater(t, configuration.MaxEventSize*1024, int64(shipped.maxFrameBytes))
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	content, err := json.Marshal(v)
	require.NoError(t, err)
	return content
}
