// SPDX-License-Identifier: Apache-2.0

package config

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/edgexfoundry/go-mod-core-contracts/v3/clients/logger"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

const shipped = "../../res/app-service/configuration.yaml"

// readShipped reads the file as the SDK does: YAML to a map, the map as JSON into the struct.
func readShipped(t *testing.T) *Service {
	text, err := os.ReadFile(shipped)
	require.NoError(t, err)
	var sections map[string]any
	require.NoError(t, yaml.Unmarshal(text, &sections))
	asJSON, err := json.Marshal(map[string]any{Section: sections[Section]})
	require.NoError(t, err)
	s := NewService()
	decoder := json.NewDecoder(strings.NewReader(string(asJSON)))
	decoder.DisallowUnknownFields()
	var checked struct{ Offload Offload }
	require.NoError(t, decoder.Decode(&checked), "a key that the service does not know")
	require.NoError(t, json.Unmarshal(asJSON, s))
	return s
}

func TestShippedConfigurationIsRight(t *testing.T) {
	plan, err := readShipped(t).Offload.Plan()
	require.NoError(t, err)
	require.Equal(t, "cloud", plan.Targets[0].Name)
	for _, reading := range [][3]string{
		{"offload-camera", "any", "Frame"}, {"offload-vibration", "any", "Window"},
	} {
		_, ok := plan.Live.Rules.Find(reading[0], reading[1], reading[2])
		require.True(t, ok, reading)
	}
}

// What the file shows is what holds when a key is left out.
func TestShippedConfigurationShowsTheDefaults(t *testing.T) {
	o := readShipped(t).Offload
	o.Targets, o.Writable.Tasks = nil, nil
	o.Models.ProviderOptions = nil
	require.Equal(t, Default(), o)
}

// Each key has a comment, of its own or shared with the lines right above it; a task or
// target after the first needs none.
func TestShippedConfigurationExplainsEachKey(t *testing.T) {
	text, err := os.ReadFile(shipped)
	require.NoError(t, err)
	var document yaml.Node
	require.NoError(t, yaml.Unmarshal(text, &document))
	explained := map[string]bool{}
	var walk func(path string, node *yaml.Node)
	walk = func(path string, node *yaml.Node) {
		line, told := 0, false
		for i := 0; i+1 < len(node.Content); i += 2 {
			key, value := node.Content[i], node.Content[i+1]
			name := path + "." + key.Value
			if strings.HasSuffix(path, ".Tasks") || strings.HasSuffix(path, ".Targets") {
				name = path + ".*"
			}
			if value.Kind == yaml.MappingNode {
				walk(name, value)
				continue
			}
			told = key.HeadComment != "" || told && key.Line == line+1
			line = key.Line
			explained[name] = explained[name] || told
			require.True(t, explained[name], "%s has no comment (line %d)", name, key.Line)
		}
	}
	walk(Section, child(t, document.Content[0], Section))
	require.Greater(t, len(explained), 30)
}

func child(t *testing.T, node *yaml.Node, name string) *yaml.Node {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == name {
			return node.Content[i+1]
		}
	}
	require.Fail(t, "no "+name)
	return nil
}

// EdgeX never notifies a change of a list.
func TestSectionHasNoLists(t *testing.T) {
	var walk func(path string, of reflect.Type)
	walk = func(path string, of reflect.Type) {
		switch of.Kind() {
		case reflect.Slice, reflect.Array, reflect.Pointer:
			require.Fail(t, path+" is a "+of.Kind().String())
		case reflect.Map:
			walk(path+".*", of.Elem())
		case reflect.Struct:
			for i := range of.NumField() {
				walk(path+"."+of.Field(i).Name, of.Field(i).Type)
			}
		}
	}
	walk(Section, reflect.TypeFor[Offload]())
}

func TestUnknownKeysAreNamed(t *testing.T) {
	require.NoError(t, unknownKeys([]byte("Writable: {LogLevel: INFO}\nOffload: {workers: 2, Models: {ProviderOptions: {CUDA: {device_id: '0'}}}}")))
	err := unknownKeys([]byte("Offload:\n  Polcy: cost\n  Writable:\n    Tasks:\n      surface: {Resorce: Frame}\n  Targets:\n    cloud: {TLS: {Ca: a, Cet: b}}\n"))
	require.Equal(t, []string{
		"Offload.Polcy is unknown: allowed are Models, Cascades, Targets, Probe, Workers, DecisionLog, Limits, Power, Learning, Writable",
		"Offload.Targets.cloud.TLS.Cet is unknown: allowed are Enabled, CA, Cert, Key, ServerName",
		"Offload.Writable.Tasks.surface.Resorce is unknown: allowed are Resource, Device, Profile, Kind, Model, Cascade, Priority, Deadline, ExpectedLocal, ExpectedRemote, Private, FeaturesOnly",
	}, strings.Split(err.Error(), "\n"))
	require.ErrorContains(t, unknownKeys([]byte("Offload: [")), "configuration file")
}

// A key of an earlier version is an error in a file, which somebody wrote, and a line in
// the log for a provider, which keeps what was pushed to it once.
func TestReplacedKeysNameTheirSuccessor(t *testing.T) {
	err := unknownKeys([]byte("Offload: {probeinterval: 250ms, ProbeTimeout: 1s, RateInterval: 10s}"))
	require.Equal(t, []string{
		"Offload.ProbeTimeout is no longer read: use Offload.Probe.Timeout",
		"Offload.RateInterval is no longer read: use Offload.Probe.RateBytesPerMinute",
		"Offload.probeinterval is no longer read: use Offload.Probe.IntervalMin and Offload.Probe.IntervalMax",
	}, strings.Split(err.Error(), "\n"))

	variables := map[string]string{"OFFLOAD_RATEINTERVAL": "0s"}
	lookup := func(key string) (string, bool) { value, ok := variables[key]; return value, ok }
	o := Default()
	o.ProbeTimeout = "2s"
	require.Equal(t, []string{
		`Offload.ProbeTimeout "2s" is no longer read: use Offload.Probe.Timeout`,
		`OFFLOAD_RATEINTERVAL="0s" is no longer read: use Offload.Probe.RateBytesPerMinute`,
	}, o.Replaced(lookup))
	clear(variables)
	require.Empty(t, Default().Replaced(lookup))
	text, err := json.Marshal(Default())
	require.NoError(t, err)
	require.NotContains(t, string(text), "ProbeInterval", "neither shown nor pushed")
}

// The tag may name keys that were renamed since.
func TestSuccessorsOfReplacedKeysExist(t *testing.T) {
	for i := range reflect.TypeFor[Offload]().NumField() {
		for key := range strings.SplitSeq(reflect.TypeFor[Offload]().Field(i).Tag.Get(replacedTag), " and ") {
			of := reflect.TypeFor[Offload]()
			for part := range strings.FieldsFuncSeq(key, func(r rune) bool { return r == '.' }) {
				field, there := of.FieldByName(part)
				require.True(t, there, key)
				of = field.Type
			}
		}
	}
}

func TestCompleteFromFiles(t *testing.T) {
	variables := map[string]string{
		"OFFLOAD_WRITABLE_POLICY":                  "local",
		"OFFLOAD_WRITABLE_HEDGE":                   "false",
		"OFFLOAD_WRITABLE_WEIGHTS_ACCURACY":        "2.5",
		"OFFLOAD_WRITABLE_TASKS_SURFACE_DEADLINE":  "1s",
		"OFFLOAD_TARGETS_CLOUD_ADDRESS":            "cloud.example:1",
		"OFFLOAD_TARGETS_CLOUD_TLS_ENABLED":        "true",
		"OFFLOAD_TARGETS_CLOUD_METERED":            "true",
		"OFFLOAD_TARGETS_CLOUD_PRICEPERMB":         "0.5",
		"OFFLOAD_WRITABLE_TASKS_SURFACE_PRIVATE":   "true",
		"OFFLOAD_WRITABLE_TRIAL_SHARE":             "0.25",
		"OFFLOAD_PROBE_RATEBYTESPERMINUTE":         "0",
		"OFFLOAD_WORKERS":                          "3",
		"OFFLOAD_WRITABLE_TASKS_UNKNOWN_DEADLINE":  "1s",
		"OFFLOAD_WRITABLE_TASKS_VIBRATION_MODEL":   "own",
		"OFFLOAD_WRITABLE_TASKS_VIBRATION_PROFILE": "",
	}
	for key, value := range variables {
		t.Setenv(key, value)
	}
	lc := logger.NewMockClient()
	for name, c := range map[string]struct {
		args []string
		want bool
	}{
		"from files":      {[]string{"-cc=common.yaml", "-cd=../../res/app-service", "-s", "-sk", "app-other"}, true},
		"with a provider": {[]string{"-cp=consul.http://localhost:8500", "-r"}, false},
		"default url":     {[]string{"-cp", "-r"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := readShipped(t)
			require.NoError(t, CompleteFromFiles(s, c.args, nil, lc))
			require.Equal(t, c.want, s.Offload.Writable.Policy == "local")
			if !c.want {
				require.Equal(t, readShipped(t).Offload, s.Offload)
				return
			}
			o := s.Offload
			require.Equal(t, []any{false, 2.5, "1s", "cloud.example:1", true, true, 0, 3, "own", "", Number("0.5"), true, .25}, []any{
				o.Writable.Hedge, o.Writable.Weights.Accuracy, o.Writable.Tasks["surface"].Deadline, o.Targets["cloud"].Address,
				o.Targets["cloud"].TLS.Enabled, o.Targets["cloud"].Metered, o.Probe.RateBytesPerMinute, o.Workers, o.Writable.Tasks["vibration"].Model, o.Writable.Tasks["vibration"].Profile,
				o.Targets["cloud"].PricePerMB, o.Writable.Tasks["surface"].Private, o.Writable.Trial.Share,
			})
			require.NotContains(t, o.Writable.Tasks, "unknown")
		})
	}
	t.Setenv("OFFLOAD_WORKERS", "many")
	require.ErrorContains(t, CompleteFromFiles(readShipped(t), []string{"-cd=../../res/app-service"}, nil, lc), "OFFLOAD_WORKERS=many")
	require.ErrorContains(t, CompleteFromFiles(readShipped(t), []string{"-cd=/does/not/exist"}, nil, lc), "configuration file")
}

// The route /api/v3/config reads while a change is under way.
func TestServiceMayBeReadWhileItChanges(t *testing.T) {
	s := NewService()
	var changes sync.WaitGroup
	changes.Go(func() {
		for range 100 {
			s.SetWritable(Writable{Policy: "local"})
		}
	})
	for range 100 {
		_, err := json.Marshal(s)
		require.NoError(t, err)
	}
	changes.Wait()
	text, err := json.Marshal(s)
	require.NoError(t, err)
	var back Service
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, "local", back.Offload.Writable.Policy)
	require.True(t, s.UpdateFromRaw(NewService()))
	require.Equal(t, Default(), s.Offload)
	require.False(t, s.UpdateFromRaw(1))
}

// EdgeX reads a variable as the type that the file's value has: OFFLOAD_WRITABLE_TRIAL_SHARE=0.5
// ends the start where the file says 0.
func TestShippedFractionsTakeFractionsFromTheEnvironment(t *testing.T) {
	text, err := os.ReadFile(shipped)
	require.NoError(t, err)
	var document yaml.Node
	require.NoError(t, yaml.Unmarshal(text, &document))
	fractions := 0
	var walk func(path string, of reflect.Type, node *yaml.Node)
	walk = func(path string, of reflect.Type, node *yaml.Node) {
		for i := 0; i+1 < len(node.Content); i += 2 {
			name, value := node.Content[i].Value, node.Content[i+1]
			field := of
			if of.Kind() == reflect.Map {
				field = of.Elem()
			} else if member, ok := of.FieldByName(name); ok {
				field = member.Type
			}
			switch {
			case value.Kind == yaml.MappingNode:
				walk(path+"."+name, field, value)
			case field.Kind() == reflect.Float64 || field == reflect.TypeFor[Number]():
				fractions++
				require.Equal(t, "!!float", value.Tag, "%s.%s %s: allowed is a number with a point", path, name, value.Value)
			}
		}
	}
	walk(Section, reflect.TypeFor[Offload](), child(t, document.Content[0], Section))
	require.Greater(t, fractions, 20)
}
