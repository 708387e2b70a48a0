// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"edgex-offload/endpoint"
	"edgex-offload/infer"
	"edgex-offload/infer/oip"
	"edgex-offload/infer/ort"
	"edgex-offload/remote"
)

// config is the whole configuration. Each key is one of the file's, as Section.Key, and
// one of the environment's, as CLOUD_SECTION_KEY; help is what --help says of it.
type config struct {
	Address      string        `yaml:"Address" help:"host:port to answer tasks on; an empty host is all addresses, port 0 any free one"`
	Name         string        `yaml:"Name" help:"processed_by in answers; empty is the host's name"`
	Congestion   string        `yaml:"Congestion" help:"TCP's congestion control for answers; system is the kernel's own"`
	LogLevel     string        `yaml:"LogLevel" help:"DEBUG, INFO, WARN or ERROR"`
	LogFormat    string        `yaml:"LogFormat" help:"text or json"`
	DrainTimeout time.Duration `yaml:"DrainTimeout" help:"how long tasks under way may end after SIGTERM"`
	HTTP         httpConfig    `yaml:"HTTP"`
	TLS          tlsConfig     `yaml:"TLS"`
	Limits       limitsConfig  `yaml:"Limits"`
	Models       modelsConfig  `yaml:"Models"`
	ONNXRuntime  onnxConfig    `yaml:"ONNXRuntime"`
	OIP          oipConfig     `yaml:"OIP"`
}

type httpConfig struct {
	Address string `yaml:"Address" help:"host:port of /metrics, /healthz, /readyz and /models; empty turns them off"`
	Control bool   `yaml:"Control" help:"true lets whoever reaches this port load, unload and roll back models; it asks for no password"`
}

type tlsConfig struct {
	Enabled bool   `yaml:"Enabled" help:"true secures the port"`
	CA      string `yaml:"CA" help:"PEM file of the clients' authorities; with it each client must show a certificate (mTLS)"`
	Cert    string `yaml:"Cert" help:"PEM file of this server's certificate, read again for each connection"`
	Key     string `yaml:"Key" help:"PEM file of its key"`
}

type limitsConfig struct {
	Workers      int           `yaml:"Workers" help:"tasks that run at a time; 0 is the number of CPUs"`
	QueueLimit   int           `yaml:"QueueLimit" help:"tasks that wait beyond those; 0 is 4 × Workers. More are refused"`
	MessageBytes int           `yaml:"MessageBytes" help:"largest request or response, in bytes"`
	RunLimit     time.Duration `yaml:"RunLimit" help:"longest run of a task without a deadline"`
	Connections  int           `yaml:"Connections" help:"clients connected at a time; more wait"`
}

type modelsConfig struct {
	Dir          string        `yaml:"Dir" help:"folder of <name>/<version>/{model.onnx,model.yaml}"`
	Rescan       time.Duration `yaml:"Rescan" help:"pause between looks at the folder for new, changed and cured models"`
	PublicKey    string        `yaml:"PublicKey" help:"PEM file of an Ed25519 public key whose signature each model must have; empty asks for none"`
	DrainTimeout time.Duration `yaml:"DrainTimeout" help:"how long tasks under way may go on after a new version took their model's place"`
	Canary       canaryConfig  `yaml:"Canary"`
	OIP          modelServer   `yaml:"OIP"`
}

// modelServer is where the models with backend: oip are.
type modelServer struct {
	Address        string          `yaml:"Address" help:"host:port of a model server (Triton's is 8001) for models with backend: oip; empty is none"`
	TLS            clientTLSConfig `yaml:"TLS"`
	ConnectTimeout time.Duration   `yaml:"ConnectTimeout" help:"longest attempt to connect to it, and longest question about a model"`
	CheckInterval  time.Duration   `yaml:"CheckInterval" help:"pause between looks at whether a model is ready there"`
	MessageBytes   int             `yaml:"MessageBytes" help:"largest request to it and answer from it, in bytes"`
}

type clientTLSConfig struct {
	Enabled    bool   `yaml:"Enabled" help:"true secures the connection to the model server"`
	CA         string `yaml:"CA" help:"PEM file of the authorities to trust; empty trusts the system's"`
	Cert       string `yaml:"Cert" help:"PEM file of this side's certificate, where the model server asks for one"`
	Key        string `yaml:"Key" help:"PEM file of its key"`
	ServerName string `yaml:"ServerName" help:"name expected in the model server's certificate; empty is the host of Address"`
}

// oipConfig says whether clients of the Open Inference Protocol are served.
type oipConfig struct {
	Enabled bool `yaml:"Enabled" help:"true serves the Open Inference Protocol (KServe v2) on Address as well"`
	Control bool `yaml:"Control" help:"true lets its clients load and unload models"`
}

type canaryConfig struct {
	Share            float64       `yaml:"Share" help:"share of the tasks that a new version answers on trial first, up to 0.5; 0 has it take over at once"`
	Tasks            int           `yaml:"Tasks" help:"tasks that it answers until the verdict"`
	MaxErrorIncrease float64       `yaml:"MaxErrorIncrease" help:"how much larger its share of failed tasks may be"`
	LatencyRatio     float64       `yaml:"LatencyRatio" help:"how many times the former version's its median and 95th percentile may be"`
	Longest          time.Duration `yaml:"Longest" help:"longest trial; then what was seen decides"`
}

type onnxConfig struct {
	Library         string                       `yaml:"Library" help:"path of libonnxruntime.so; empty is ONNXRUNTIME_LIB, else looked for"`
	Providers       []string                     `yaml:"Providers" help:"TensorRT, CUDA, CPU in the order of preference; a missing one is logged and passed over"`
	FP16            bool                         `yaml:"FP16" help:"lets TensorRT compute in float16"`
	INT8            bool                         `yaml:"INT8" help:"lets TensorRT compute quantised models in int8"`
	EngineCache     string                       `yaml:"EngineCache" help:"folder in which TensorRT keeps what it built; empty keeps nothing"`
	ProviderOptions map[string]map[string]string `yaml:"ProviderOptions" help:"by provider, as TensorRT: {trt_dla_enable: \"1\"}"`
	Threads         int                          `yaml:"Threads" help:"threads of one inference"`
}

func defaults() config {
	return config{
		Address:      ":50051",
		Congestion:   remote.DefaultCongestion,
		LogLevel:     "INFO",
		LogFormat:    "text",
		DrainTimeout: 10 * time.Second,
		HTTP:         httpConfig{Address: ":50052"},
		Limits:       limitsConfig{MessageBytes: remote.DefaultMessageLimit, RunLimit: 30 * time.Second, Connections: 256},
		Models: modelsConfig{
			Dir: "models", Rescan: 10 * time.Second, DrainTimeout: 30 * time.Second, Canary: canaryConfig(infer.DefaultCanary()),
			OIP: modelServer{ConnectTimeout: 2 * time.Second, CheckInterval: 2 * time.Second, MessageBytes: oip.DefaultMessageBytes},
		},
		ONNXRuntime: onnxConfig{Providers: []string{ort.CPU}, ProviderOptions: map[string]map[string]string{}, Threads: 1},
		OIP:         oipConfig{Enabled: true},
	}
}

func (t tlsConfig) files() endpoint.TLS {
	return endpoint.TLS{Enabled: t.Enabled, CA: t.CA, Cert: t.Cert, Key: t.Key}
}

// modelServer is where models with backend: oip run. CallTimeout is that of a task without a deadline.
func (c config) modelServer() oip.Options {
	m := c.Models.OIP
	return oip.Options{
		Address: m.Address, TLS: endpoint.TLS(m.TLS), ConnectTimeout: m.ConnectTimeout, CallTimeout: c.Limits.RunLimit,
		CheckInterval: m.CheckInterval, MessageBytes: m.MessageBytes, Describe: ort.PortsOf,
	}
}

// validate names every key that is wrong, its value and what is allowed.
func (c config) validate() error {
	errs := []error{endpoint.ValidateAddress("Address", c.Address, true)}
	bad := func(ok bool, key string, value any, allowed string) {
		if !ok {
			errs = append(errs, fmt.Errorf("%s %v: allowed is %s", key, value, allowed))
		}
	}
	if c.HTTP.Address != "" {
		errs = append(errs, endpoint.ValidateAddress("HTTP.Address", c.HTTP.Address, true))
	}
	_, err := c.level()
	errs = append(errs, err, remote.ValidateCongestion("Congestion", c.Congestion))
	bad(c.LogFormat == "text" || c.LogFormat == "json", "LogFormat", fmt.Sprintf("%q", c.LogFormat), "text or json")
	bad(c.DrainTimeout >= 0 && c.DrainTimeout <= time.Hour, "DrainTimeout", c.DrainTimeout, "0s to 1h")
	bad(c.Limits.Workers >= 0 && c.Limits.Workers <= 1024, "Limits.Workers", c.Limits.Workers, "1 to 1024, or 0 for the number of CPUs")
	bad(c.Limits.QueueLimit >= 0 && c.Limits.QueueLimit <= 10000, "Limits.QueueLimit", c.Limits.QueueLimit, "1 to 10000, or 0 for 4 × Workers")
	bad(c.Limits.MessageBytes >= 64<<10 && c.Limits.MessageBytes <= 1<<30, "Limits.MessageBytes", c.Limits.MessageBytes, "65536 to 1073741824 bytes")
	bad(c.Limits.RunLimit >= 10*time.Millisecond && c.Limits.RunLimit <= time.Hour, "Limits.RunLimit", c.Limits.RunLimit, "10ms to 1h")
	bad(c.Limits.Connections >= 1 && c.Limits.Connections <= 65536, "Limits.Connections", c.Limits.Connections, "1 to 65536")
	bad(c.Models.Dir != "", "Models.Dir", `""`, "a folder")
	bad(c.Models.Rescan >= 100*time.Millisecond && c.Models.Rescan <= time.Hour, "Models.Rescan", c.Models.Rescan, "100ms to 1h")
	bad(c.Models.DrainTimeout >= time.Second && c.Models.DrainTimeout <= time.Hour, "Models.DrainTimeout", c.Models.DrainTimeout, "1s to 1h")
	if err, is := infer.Canary(c.Models.Canary).Validate().(interface{ Unwrap() []error }); is {
		for _, each := range err.Unwrap() {
			errs = append(errs, fmt.Errorf("Models.Canary.%w", each))
		}
	}
	if _, err := c.Models.publicKey(); err != nil {
		errs = append(errs, err)
	}
	bad(c.ONNXRuntime.Threads >= 1 && c.ONNXRuntime.Threads <= 64, "ONNXRuntime.Threads", c.ONNXRuntime.Threads, "1 to 64")
	providers := []string{ort.TensorRT, ort.CUDA, ort.CPU}
	for _, p := range c.ONNXRuntime.Providers {
		bad(slices.Contains(providers, p), "ONNXRuntime.Providers", fmt.Sprintf("%q", p), strings.Join(providers, ", "))
	}
	for p := range c.ONNXRuntime.ProviderOptions {
		bad(slices.Contains(providers, p), "ONNXRuntime.ProviderOptions", fmt.Sprintf("%q", p), strings.Join(providers, ", "))
	}
	if c.Models.OIP.Address != "" {
		errs = append(errs, under("Models.OIP", c.modelServer().Validate()))
	}
	bad(c.OIP.Enabled || !c.OIP.Control, "OIP.Control", c.OIP.Control, "false with OIP.Enabled false")
	return errors.Join(append(errs, c.TLS.files().ValidateServer())...)
}

// under puts a section's name before each error of keys in it.
func under(section string, err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var errs []error
		for _, each := range joined.Unwrap() {
			errs = append(errs, under(section, each))
		}
		return errors.Join(errs...)
	}
	if err != nil {
		err = fmt.Errorf("%s.%w", section, err)
	}
	return err
}

// publicKey is whose signature each model must have; nil is none.
func (m modelsConfig) publicKey() (ed25519.PublicKey, error) {
	if m.PublicKey == "" {
		return nil, nil
	}
	key, err := infer.ReadPublicKey(m.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("Models.PublicKey: %w", err)
	}
	return key, nil
}

func (c config) level() (slog.Level, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return 0, fmt.Errorf("LogLevel %q: allowed are DEBUG, INFO, WARN, ERROR", c.LogLevel)
	}
	return level, nil
}
