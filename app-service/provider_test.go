// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"edgex-offload/app-service/routes"
)

// provider is as much of Consul's key/value store as the SDK asks for.
type provider struct {
	mu      sync.Mutex
	values  map[string]entry
	index   uint64        // of the last change
	changed chan struct{} // closed at each change
	url     string
}

type entry struct {
	value string
	index uint64 // of its last change
}

func startProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{values: map[string]entry{}, index: 1, changed: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status/leader", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /v1/kv/{key...}", p.read)
	mux.HandleFunc("PUT /v1/kv/{key...}", func(w http.ResponseWriter, r *http.Request) {
		value, _ := io.ReadAll(r.Body)
		p.set(r.PathValue("key"), string(value))
		fmt.Fprint(w, "true")
	})
	server := httptest.NewServer(mux)
	t.Cleanup(func() {
		server.CloseClientConnections() // of those who wait for a change
		server.Close()
	})
	p.url = strings.TrimPrefix(server.URL, "http://")
	return p
}

func (p *provider) set(key, value string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.index++
	p.values[key] = entry{value, p.index}
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *provider) get(key string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.values[key].value
}

func (p *provider) keys() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Keys(p.values))
}

type pair struct {
	Key         string
	Value       []byte
	ModifyIndex uint64
}

// find returns what a query asks for, in order of key, and the index of its last change.
func (p *provider) find(r *http.Request) (pairs []pair, index uint64) {
	key, branch := r.PathValue("key"), r.URL.Query().Has("recurse") || r.URL.Query().Has("keys")
	index = 1
	for name, e := range p.values {
		if name == key || branch && strings.HasPrefix(name, key) {
			pairs, index = append(pairs, pair{name, []byte(e.value), e.index}), max(index, e.index)
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int { return strings.Compare(a.Key, b.Key) })
	return pairs, index
}

// read answers a key, a list of keys or a branch; with an index it waits for a later one.
func (p *provider) read(w http.ResponseWriter, r *http.Request) {
	after, _ := strconv.ParseUint(r.URL.Query().Get("index"), 10, 64)
	p.mu.Lock()
	pairs, index := p.find(r)
	for index <= after {
		changed := p.changed
		p.mu.Unlock()
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		}
		p.mu.Lock()
		pairs, index = p.find(r)
	}
	p.mu.Unlock()
	w.Header().Set("X-Consul-Index", strconv.FormatUint(index, 10))
	switch {
	case len(pairs) == 0:
		w.WriteHeader(http.StatusNotFound)
	case r.URL.Query().Has("keys"):
		var keys []string
		for _, each := range pairs {
			keys = append(keys, each.Key)
		}
		_ = json.NewEncoder(w).Encode(keys)
	default:
		_ = json.NewEncoder(w).Encode(pairs)
	}
}

// seed stores what core-common-config-bootstrapper would.
func (p *provider) seed(t *testing.T, busPort int) {
	t.Helper()
	text, err := os.ReadFile("../res/common/configuration.yaml")
	require.NoError(t, err)
	var common map[string]any
	require.NoError(t, yaml.Unmarshal(text, &common))
	var walk func(path string, value any)
	walk = func(path string, value any) {
		if branch, ok := value.(map[string]any); ok {
			for key, sub := range branch {
				walk(path+"/"+key, sub)
			}
			return
		}
		p.set(path, fmt.Sprint(value))
	}
	const base = "edgex/v3/core-common-config-bootstrapper"
	for _, services := range []string{"all-services", "app-services"} {
		walk(base+"/"+services, common[services])
	}
	p.set(base+"/all-services/MessageBus/Port", strconv.Itoa(busPort))
	p.set(base+"/IsCommonConfigReady", "true")
}

// With a configuration provider: the section is pushed with the environment applied, a
// change is taken over, a wrong one is refused, and after a restart the provider's
// values hold and not the file's.
func TestConfigurationProvider(t *testing.T) {
	p := startProvider(t)
	broker, busPort := startBroker(t)
	p.seed(t, busPort)
	launch := func() *site {
		return start(t, broker, "", []string{"-cp=consul.http://" + p.url, "-cd=../res/app-service", "-s"},
			[]string{"OFFLOAD_TARGETS_CLOUD_ADDRESS=", "OFFLOAD_WRITABLE_POLICY=threshold"})
	}
	const branch = "edgex/v3/app-offload/Offload/"
	s := launch()
	s.until(routes.PathStatus, `"policy":"threshold"`)
	require.Equal(t, "threshold", p.get(branch+"Writable/Policy"))
	require.Equal(t, "Frame", p.get(branch+"Writable/Tasks/surface/Resource"))
	require.Equal(t, "2", p.get(branch+"Writable/JitterFactor"))
	require.Equal(t, "250ms", p.get(branch+"Probe/IntervalMin"))
	require.NotContains(t, p.keys(), branch+"ProbeInterval", "an earlier version's")

	// The SDK drops the first notification, whatever it says: change until it listens.
	require.Eventually(t, func() bool {
		p.set(branch+"Writable/JitterFactor", "3")
		return strings.Contains(s.get(routes.PathStatus), `"accepted":1`)
	}, patience, 700*time.Millisecond)

	p.set(branch+"Writable/Policy", "local")
	s.until(routes.PathStatus, `"policy":"local"`)
	s.until("/api/v3/config", `"Policy":"local"`)

	p.set(branch+"Writable/Policy", "best")
	s.until(routes.PathStatus, `Offload.Writable.Policy \"best\": allowed is quantile, cost, linucb, dqn, threshold, local, cloud`)
	require.Contains(t, s.get(routes.PathStatus), `"policy":"local"`)
	p.set(branch+"Writable/Tuning/Stale", "x") // what no float can be
	s.until(routes.PathStatus, `Offload.Writable.Tuning.Stale \"x\": allowed is a number`)
	s.until(routes.PathStatus, `Offload.Writable.Policy \"best\"`)
	require.Contains(t, s.get(routes.PathStatus), `"policy":"local"`)
	p.set(branch+"Writable/Tuning/Stale", "0.3")
	p.set(branch+"Writable/Policy", "cost")
	s.until(routes.PathStatus, `"policy":"cost"`)

	p.set(branch+"Writable/Tasks/own/Resource", "Level") // half a rule
	s.until(routes.PathStatus, `Offload.Writable.Tasks.own.Model`)
	p.set(branch+"Writable/Tasks/own/Kind", "SIGNAL_CLASSIFICATION")
	p.set(branch+"Writable/Tasks/own/Model", "level")
	s.until("/api/v3/config", `"own":{"Resource":"Level"`)
	require.NoError(t, s.stop())

	p.set(branch+"ProbeInterval", "500ms") // as an earlier version pushed it
	url := s.url                           // the port is the provider's by now
	s = launch()
	s.url = url
	s.until(routes.PathStatus, `"policy":"cost"`)
	s.ready()
	require.Contains(t, s.log.String(), `Offload.ProbeInterval \"500ms\" is no longer read: use Offload.Probe.IntervalMin and Offload.Probe.IntervalMax`)
	require.NoError(t, s.stop())
}
