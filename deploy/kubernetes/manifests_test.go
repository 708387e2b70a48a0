// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// manifest has each field that the files use; any other is a mistake, as a misspelt one.
type manifest struct {
	APIVersion string            `yaml:"apiVersion"`
	Kind       string            `yaml:"kind"`
	Metadata   meta              `yaml:"metadata"`
	Data       map[string]string `yaml:"data"`
	Spec       struct {
		Type     string    `yaml:"type"`
		Replicas int       `yaml:"replicas"`
		Strategy mapping   `yaml:"strategy"`
		Selector yaml.Node `yaml:"selector"`
		Template struct {
			Metadata meta `yaml:"metadata"`
			Spec     pod  `yaml:"spec"`
		} `yaml:"template"`
		Ports []struct {
			Name       string `yaml:"name"`
			Port       int    `yaml:"port"`
			TargetPort string `yaml:"targetPort"`
		} `yaml:"ports"`
	} `yaml:"spec"`
}

type mapping map[string]string

type meta struct {
	Name        string  `yaml:"name"`
	Labels      mapping `yaml:"labels"`
	Annotations mapping `yaml:"annotations"`
}

type pod struct {
	Hostname                      string      `yaml:"hostname"`
	EnableServiceLinks            *bool       `yaml:"enableServiceLinks"`
	AutomountServiceAccountToken  *bool       `yaml:"automountServiceAccountToken"`
	TerminationGracePeriodSeconds int         `yaml:"terminationGracePeriodSeconds"`
	Containers                    []container `yaml:"containers"`
	Volumes                       []struct {
		Name   string `yaml:"name"`
		Secret struct {
			SecretName string `yaml:"secretName"`
			Optional   bool   `yaml:"optional"`
		} `yaml:"secret"`
	} `yaml:"volumes"`
	SecurityContext struct {
		RunAsNonRoot   bool    `yaml:"runAsNonRoot"`
		RunAsUser      int     `yaml:"runAsUser"`
		RunAsGroup     int     `yaml:"runAsGroup"`
		SeccompProfile mapping `yaml:"seccompProfile"`
	} `yaml:"securityContext"`
}

type container struct {
	Name            string `yaml:"name"`
	Image           string `yaml:"image"`
	ImagePullPolicy string `yaml:"imagePullPolicy"`
	EnvFrom         []struct {
		ConfigMapRef meta `yaml:"configMapRef"`
	} `yaml:"envFrom"`
	Env []struct {
		Name  string `yaml:"name"`
		Value string `yaml:"value"`
	} `yaml:"env"`
	Ports []struct {
		Name          string `yaml:"name"`
		ContainerPort int    `yaml:"containerPort"`
	} `yaml:"ports"`
	StartupProbe    probe `yaml:"startupProbe"`
	ReadinessProbe  probe `yaml:"readinessProbe"`
	LivenessProbe   probe `yaml:"livenessProbe"`
	Resources       struct{ Requests, Limits mapping }
	SecurityContext struct {
		AllowPrivilegeEscalation *bool               `yaml:"allowPrivilegeEscalation"`
		ReadOnlyRootFilesystem   bool                `yaml:"readOnlyRootFilesystem"`
		Capabilities             map[string][]string `yaml:"capabilities"`
	} `yaml:"securityContext"`
	VolumeMounts []struct {
		Name      string `yaml:"name"`
		MountPath string `yaml:"mountPath"`
		ReadOnly  bool   `yaml:"readOnly"`
	} `yaml:"volumeMounts"`
}

type probe struct {
	HTTPGet struct {
		Path string `yaml:"path"`
		Port string `yaml:"port"`
	} `yaml:"httpGet"`
	InitialDelaySeconds int `yaml:"initialDelaySeconds"`
	PeriodSeconds       int `yaml:"periodSeconds"`
	TimeoutSeconds      int `yaml:"timeoutSeconds"`
	FailureThreshold    int `yaml:"failureThreshold"`
}

// manifests are all documents of the folder by "Kind/name".
func manifests(t *testing.T) map[string]manifest {
	t.Helper()
	files, err := filepath.Glob("*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	all := map[string]manifest{}
	for _, file := range files {
		f, err := os.Open(file)
		require.NoError(t, err)
		defer func() { _ = f.Close() }()
		documents := yaml.NewDecoder(f)
		documents.KnownFields(true)
		for {
			var m manifest
			err := documents.Decode(&m)
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err, file)
			name := m.Kind + "/" + m.Metadata.Name
			require.NotContains(t, all, name, "twice")
			all[name] = m
		}
	}
	return all
}

// service is what a Deployment must agree with: the service's own configuration.
type service struct {
	deployment, image, config string
	ports                     map[string]string // by name: the key of the configuration
	live, ready               string
}

func services() []service {
	const ping = "/api/v3/ping"
	return []service{
		{"edgex-device-sensor-camera", "device-service", "device-service", map[string]string{"http": "Service.Port"}, ping, ping},
		{"edgex-app-offload", "app-service", "app-service", map[string]string{"http": "Service.Port"}, ping, ping},
		{"edgex-cloud-service", "cloud-service", "cloud-service", map[string]string{"grpc": "Address", "http": "HTTP.Address"}, "/healthz", "/readyz"},
	}
}

func TestDeploymentsFitTheirServices(t *testing.T) {
	all := manifests(t)
	for _, s := range services() {
		t.Run(s.deployment, func(t *testing.T) {
			d, exists := all["Deployment/"+s.deployment]
			require.True(t, exists)
			assert.Equal(t, "apps/v1", d.APIVersion)
			require.Len(t, d.Spec.Template.Spec.Containers, 1)
			c := d.Spec.Template.Spec.Containers[0]
			assert.Equal(t, "edgex-offload/"+s.image+":latest", c.Image)
			keys := settings(t, s.config)
			require.Len(t, c.Ports, len(s.ports))
			for _, p := range c.Ports {
				port := keys[s.ports[p.Name]]
				assert.Equal(t, port[strings.LastIndex(port, ":")+1:], strconv.Itoa(p.ContainerPort), p.Name)
			}
			assert.Equal(t, []string{s.ready, "http"}, []string{c.ReadinessProbe.HTTPGet.Path, c.ReadinessProbe.HTTPGet.Port})
			assert.Equal(t, []string{s.live, "http"}, []string{c.LivenessProbe.HTTPGet.Path, c.LivenessProbe.HTTPGet.Port})
			checkSelectors(t, d, all["Service/"+s.deployment], c)
			checkVariables(t, s, c, all, keys)
		})
	}
	assert.Len(t, all, 2+3+3, "ConfigMaps, Deployments, Services; what else there is, a test has to know")
}

// checkSelectors sees that Deployment and Service find the pods, and ports their names.
func checkSelectors(t *testing.T, d, s manifest, c container) {
	var own struct {
		MatchLabels mapping `yaml:"matchLabels"`
	}
	require.NoError(t, d.Spec.Selector.Decode(&own))
	labels := d.Spec.Template.Metadata.Labels
	assert.Equal(t, labels, own.MatchLabels)
	var selector mapping
	require.NoError(t, s.Spec.Selector.Decode(&selector))
	require.NotEmpty(t, selector)
	for k, v := range selector {
		assert.Equal(t, v, labels[k], k)
	}
	require.NotEmpty(t, s.Spec.Ports)
	for _, p := range s.Spec.Ports {
		found := 0
		for _, of := range c.Ports {
			if of.Name == p.TargetPort {
				found = of.ContainerPort
			}
		}
		assert.Equal(t, found, p.Port, p.Name)
	}
}

// checkVariables sees that each variable is a key of the service's configuration.
func checkVariables(t *testing.T, s service, c container, all map[string]manifest, keys mapping) {
	prefix := map[bool]string{true: "CLOUD_"}[s.config == "cloud-service"]
	names := map[string]bool{"EDGEX_SECURITY_SECRET_STORE": true}
	for key := range keys {
		names[prefix+strings.ToUpper(strings.ReplaceAll(key, ".", "_"))] = true
	}
	require.Len(t, c.EnvFrom, 1)
	shared, exists := all["ConfigMap/"+c.EnvFrom[0].ConfigMapRef.Name]
	require.True(t, exists)
	for name := range shared.Data {
		if s.config != "device-service" || !strings.HasPrefix(name, "OFFLOAD_") { // those are for its neighbour
			assert.Contains(t, names, name)
		}
	}
	for _, v := range c.Env {
		assert.Contains(t, names, v.Name)
		if v.Name == "SERVICE_HOST" {
			assert.Equal(t, s.deployment, v.Value, "the name of its Service")
			assert.Equal(t, v.Value, all["Deployment/"+s.deployment].Spec.Template.Spec.Hostname)
		}
	}
}

// settings are a service's configuration, flat: "Service.Port".
func settings(t *testing.T, name string) mapping {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "res", name, "configuration.yaml"))
	require.NoError(t, err)
	var tree map[string]any
	require.NoError(t, yaml.Unmarshal(data, &tree))
	flat := mapping{}
	var walk func(prefix string, node map[string]any)
	walk = func(prefix string, node map[string]any) {
		for k, v := range node {
			switch v := v.(type) {
			case map[string]any:
				walk(prefix+k+".", v)
			case int:
				flat[prefix+k] = strconv.Itoa(v)
			case string:
				flat[prefix+k] = v
			default:
				flat[prefix+k] = ""
			}
		}
	}
	walk("", tree)
	return flat
}

func TestPodsHaveNoPrivilege(t *testing.T) {
	for name, m := range manifests(t) {
		if m.Kind != "Deployment" {
			continue
		}
		p := m.Spec.Template.Spec
		c := p.Containers[0]
		assert.True(t, p.SecurityContext.RunAsNonRoot, name)
		assert.Equal(t, []int{2002, 2001}, []int{p.SecurityContext.RunAsUser, p.SecurityContext.RunAsGroup}, name)
		assert.Equal(t, "RuntimeDefault", p.SecurityContext.SeccompProfile["type"], name)
		for key, no := range map[string]*bool{
			"automountServiceAccountToken": p.AutomountServiceAccountToken, "enableServiceLinks": p.EnableServiceLinks,
			"allowPrivilegeEscalation": c.SecurityContext.AllowPrivilegeEscalation,
		} {
			require.NotNil(t, no, "%s: %s", name, key)
			assert.False(t, *no, "%s: %s", name, key)
		}
		assert.True(t, c.SecurityContext.ReadOnlyRootFilesystem, name)
		assert.Equal(t, map[string][]string{"drop": {"ALL"}}, c.SecurityContext.Capabilities, name)
		for _, r := range []mapping{c.Resources.Requests, c.Resources.Limits} {
			assert.NotEmpty(t, r["cpu"], name)
			assert.NotEmpty(t, r["memory"], name)
		}
	}
}

// The cloud runs as many tasks at a time as it may use cores.
func TestCloudWorkersAreItsCores(t *testing.T) {
	all := manifests(t)
	c := all["Deployment/edgex-cloud-service"].Spec.Template.Spec.Containers[0]
	assert.Equal(t, c.Resources.Limits["cpu"], all["ConfigMap/offload-cloud"].Data["CLOUD_LIMITS_WORKERS"])
}
