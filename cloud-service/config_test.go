// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

const shipped = "../res/cloud-service/configuration.yaml"

// The shipped file holds each key once, with a comment, at its default.
func TestShippedConfigurationIsTheDefaultsExplained(t *testing.T) {
	c, unknown, err := load(shipped, nil)
	require.NoError(t, err)
	assert.Empty(t, unknown)
	assert.Equal(t, defaults(), c)

	raw, err := os.ReadFile(shipped)
	require.NoError(t, err)
	var root yaml.Node
	require.NoError(t, yaml.Unmarshal(raw, &root))
	var keys []string
	var walk func(prefix string, section *yaml.Node)
	walk = func(prefix string, section *yaml.Node) {
		comment := ""
		for i := 0; i < len(section.Content); i += 2 {
			key, value := section.Content[i], section.Content[i+1]
			if value.Kind == yaml.MappingNode && len(value.Content) > 0 {
				walk(prefix+key.Value+".", value)
				continue
			}
			keys = append(keys, prefix+key.Value)
			if key.HeadComment != "" {
				comment = key.HeadComment // a comment may be for two keys, as Cert and Key
			}
			assert.NotEmpty(t, comment, "%s%s has no comment", prefix, key.Value)
		}
	}
	walk("", root.Content[0])
	c = defaults()
	var want []string
	for _, s := range settings(&c) {
		want = append(want, s.key)
	}
	assert.Equal(t, want, keys)
}

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "configuration.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

func TestEnvironmentWinsOverFileWinsOverDefaults(t *testing.T) {
	file := write(t, "Name: from-file\nLimits: {Workers: 3, RunLimit: 5s}\nONNXRuntime: {Providers: [TensorRT, CPU]}\n")
	c, unknown, err := load(file, []string{
		"CLOUD_LIMITS_WORKERS=7", "CLOUD_LOGLEVEL=debug", "CLOUD_ONNXRUNTIME_PROVIDEROPTIONS={TensorRT: {trt_fp16_enable: \"1\"}}",
		"CLOUD_SDK_VERSION=1", "CLOUD_NAME=yes", "HOME=/",
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"CLOUD_SDK_VERSION"}, unknown)
	assert.Equal(t, "yes", c.Name, "text stays text")
	assert.Equal(t, 7, c.Limits.Workers)
	assert.Equal(t, 5*time.Second, c.Limits.RunLimit)
	assert.Equal(t, []string{"TensorRT", "CPU"}, c.ONNXRuntime.Providers)
	assert.Equal(t, map[string]string{"trt_fp16_enable": "1"}, c.ONNXRuntime.ProviderOptions["TensorRT"])
	assert.Equal(t, defaults().Address, c.Address)
}

func TestConfigurationErrors(t *testing.T) {
	for name, c := range map[string]struct {
		file    string
		environ string
		reasons []string
	}{
		"unknown keys":   {"Port: 1\nLimits: {Worker: 3}\n", "", []string{"line 1: Port is no key: there are Address, Name,", "line 2: Limits.Worker is no key: there are Workers, QueueLimit"}},
		"wrong types":    {"Limits: {Workers: two}\nTLS: yes\nDrainTimeout: soon\n", "", []string{`line 1: Limits.Workers "two": allowed is a value like 0`, "line 2: TLS: allowed is a section", `line 3: DrainTimeout "soon": allowed is a value like 0s`}},
		"twice":          {"Name: a\nName: b\n", "", []string{"line 2: Name is there twice"}},
		"no section":     {"- a\n", "", []string{"the file: allowed is a section of keys"}},
		"no YAML":        {"a: b: c", "", []string{"yaml"}},
		"environment":    {"", "CLOUD_TLS_ENABLED=maybe", []string{`environment CLOUD_TLS_ENABLED "maybe": allowed is a value like false`}},
		"address":        {"Address: foo", "", []string{`Address "foo": allowed is host:port`}},
		"HTTP address":   {"HTTP: {Address: ':x'}", "", []string{`HTTP.Address ":x": port "x": allowed is 0 to 65535`}},
		"all at once":    {"LogLevel: LOUD\nLogFormat: xml\nLimits: {Workers: -1, MessageBytes: 1}\n", "", []string{`LogLevel "LOUD": allowed are DEBUG`, `LogFormat "xml": allowed is text or json`, "Limits.Workers -1: allowed is 1 to 1024", "Limits.MessageBytes 1: allowed is 65536 to"}},
		"congestion":     {"Congestion: BBR 2", "", []string{`Congestion "BBR 2": allowed is system, or a kernel's name for one, as in bbr`}},
		"no congestion":  {"Congestion: ''", "", []string{`Congestion "": allowed is system`}},
		"provider":       {"ONNXRuntime: {Providers: [GPU]}", "", []string{`ONNXRuntime.Providers "GPU": allowed is TensorRT, CUDA, CPU`}},
		"TLS without it": {"TLS: {Cert: a, Key: b}", "", []string{"TLS.Enabled false: allowed with CA, Cert, Key"}},
		"model server":   {"Models: {OIP: {Address: triton, CheckInterval: 1ms, TLS: {CA: a}}}", "", []string{`Models.OIP.Address "triton": allowed is host:port`, "Models.OIP.TLS.Enabled false: allowed with", "Models.OIP.CheckInterval 1ms: allowed is 10ms to 1h0m0s"}},
		"control alone":  {"OIP: {Enabled: false, Control: true}", "", []string{"OIP.Control true: allowed is false with OIP.Enabled false"}},
		"TLS half":       {"TLS: {Enabled: true, Cert: a}", "", []string{`TLS.Cert "a" with TLS.Key "": allowed is both or none`}},
		"large":          {"#" + strings.Repeat("x", maxConfigBytes), "", []string{"allowed is up to 1048576 bytes"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := load(write(t, c.file), []string{c.environ})
			for _, reason := range c.reasons {
				assert.ErrorContains(t, err, reason)
			}
		})
	}
	_, _, err := load("nowhere.yaml", nil)
	assert.ErrorContains(t, err, "nowhere.yaml: no such file")
}

func FuzzReadYAML(f *testing.F) {
	raw, err := os.ReadFile(shipped)
	require.NoError(f, err)
	f.Add(raw)
	f.Add([]byte("Limits: {Workers: 1}\nLimits: {Workers: 2}"))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c := defaults()
		if readYAML(&c, raw) == nil {
			_ = c.validate()
		}
	})
}

func TestHelpTeachesEachSetting(t *testing.T) {
	var out bytes.Buffer
	usage(&out)
	c := defaults()
	for _, s := range settings(&c) {
		assert.NotEmpty(t, s.help, s.key)
		assert.Contains(t, out.String(), s.key+" = "+s.String())
		assert.Contains(t, out.String(), s.env())
	}
	for _, line := range strings.Split(out.String(), "\n") {
		assert.LessOrEqual(t, len(line), 110, line)
	}
}

func TestArguments(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, command(t.Context(), []string{"--version"}, nil, &out, &out))
	assert.Equal(t, version+"\n", out.String())
	for _, args := range [][]string{{"serve"}, {"-x"}, {"-c"}, {"-c", "nowhere.yaml"}} {
		require.Error(t, command(t.Context(), args, nil, &out, &out), "%v", args)
	}
}
