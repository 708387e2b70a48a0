// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"image"
	"image/color"
	"image/jpeg"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"edgex-offload/endpoint"
	"edgex-offload/infer"
	"edgex-offload/infer/oip"
	"edgex-offload/infer/oip/inference"
	"edgex-offload/infer/ort"
	"edgex-offload/infer/ort/orttest"
	"edgex-offload/offload"
)

// small is the shipped model that these tests serve.
func small(t *testing.T) (spec, graph []byte) {
	t.Helper()
	dir := filepath.Join("..", "models", "surface-small", "1")
	spec, err := os.ReadFile(filepath.Join(dir, infer.SpecFile))
	require.NoError(t, err)
	graph, err = os.ReadFile(filepath.Join(dir, infer.GraphFile))
	require.NoError(t, err)
	return spec, graph
}

// serving is a service with the shipped model, which is ready, and the rest of its arguments.
func serving(t *testing.T, environ ...string) (cloud, string) {
	t.Helper()
	t.Setenv("ONNXRUNTIME_LIB", orttest.Library(t))
	spec, graph := small(t)
	dir := t.TempDir()
	lay(t, dir, "surface-small", string(spec), graph)
	service := start(t, append([]string{"CLOUD_MODELS_DIR=" + dir}, environ...)...)
	awaitReady(t, service)
	return service, dir
}

func awaitReady(t *testing.T, service cloud) {
	t.Helper()
	require.Eventually(t, func() bool { code, _ := service.get(t, "/readyz"); return code == 200 }, time.Minute, 10*time.Millisecond)
}

func kserve(t *testing.T, service cloud) (*grpc.ClientConn, inference.GRPCInferenceServiceClient) {
	t.Helper()
	conn, err := grpc.NewClient(service.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn, inference.NewGRPCInferenceServiceClient(conn)
}

// part is a picture for the shipped model.
func part(t *testing.T) offload.Task {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 320, 240))
	for y := range 240 {
		for x := range 320 {
			img.Set(x, y, color.RGBA{R: uint8(x), G: uint8(y), B: uint8(x + y), A: 255})
		}
	}
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, img, nil))
	return offload.Task{ID: t.Name(), Kind: offload.ImageClassification, Model: "surface", Payload: b.Bytes()}
}

// far is a repository of one model that the service runs.
func far(t *testing.T, address string, change func(*oip.Options), extra string) *infer.Repository {
	t.Helper()
	options := oip.Options{Address: address, CheckInterval: 50 * time.Millisecond, Describe: ort.PortsOf}
	if change != nil {
		change(&options)
	}
	client, err := oip.New(options)
	require.NoError(t, err)
	spec, _ := small(t)
	dir := t.TempDir()
	version := filepath.Join(dir, "far", "1")
	require.NoError(t, os.MkdirAll(version, 0o750))
	yaml := bytes.Split(spec, []byte("sha256:"))[0] // the file itself is not here
	yaml = append(yaml, "backend: oip\noip: {model: surface-small}\n"+extra...)
	require.NoError(t, os.WriteFile(filepath.Join(version, infer.SpecFile), yaml, 0o600))
	r, err := infer.Open(infer.Options{Dir: dir, Backend: infer.Backends{infer.OIP: client}, Rescan: 20 * time.Millisecond})
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, r.Close())
		assert.NoError(t, client.Close())
	})
	require.NoError(t, r.Wait(soon(t)))
	return r
}

// awaitFailure waits for the one model's error. It is tried again and again, so that it is
// loading at times.
func awaitFailure(t *testing.T, r *infer.Repository, want string) {
	t.Helper()
	require.Eventually(t, func() bool {
		m := r.Models()[0]
		return m.State == infer.Failed && strings.Contains(m.Error, want)
	}, 20*time.Second, 5*time.Millisecond, want)
}

// The backend and the service are each other's peer: what comes out is what the model gives
// in one process.
func TestAModelServersModelAnswersAsTheModelItself(t *testing.T) {
	service, dir := serving(t)
	here, err := infer.Open(infer.Options{Dir: dir, Backend: orttest.Runtime(t), Rescan: time.Hour})
	require.NoError(t, err)
	defer here.Close()
	require.NoError(t, here.Wait(soon(t)))
	want, err := here.InferModel(soon(t), part(t))
	require.NoError(t, err)

	r := far(t, service.grpc, nil, "")
	tensors, err := r.Tensors("far", "")
	require.NoError(t, err)
	assert.Equal(t, "oip "+service.grpc, tensors.About.Provider)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 10 {
				got, err := r.InferModel(soon(t), part(t))
				if assert.NoError(t, err) {
					assert.Equal(t, want.Label, got.Label)
					assert.InDelta(t, want.Confidence, got.Confidence, 1e-6)
					assert.Equal(t, "far/1", got.Model)
				}
			}
		})
	}
	all.Wait()
	_, body := service.get(t, "/metrics")
	assert.Contains(t, body, `offload_cloud_tasks_total{kind="ModelInfer",result="ok"} `)
	assert.Contains(t, body, `offload_cloud_execution_seconds_count{model="surface-small/1"}`)
}

func TestAModelServerThatIsRestartedIsUsedAgain(t *testing.T) {
	service, dir := serving(t)
	r := far(t, service.grpc, nil, "")
	_, err := r.InferModel(soon(t), part(t))
	require.NoError(t, err)
	require.NoError(t, service.stop())
	awaitFailure(t, r, "oip "+service.grpc)
	awaitReady(t, start(t, "CLOUD_MODELS_DIR="+dir, "CLOUD_ADDRESS="+service.grpc))
	require.Eventually(t, func() bool { return r.Models()[0].State == infer.Ready }, 20*time.Second, 5*time.Millisecond)
	_, err = r.InferModel(soon(t), part(t))
	require.NoError(t, err)
}

func TestModelYamlAndModelFileAreComparedWithTheService(t *testing.T) {
	service, _ := serving(t)
	awaitFailure(t, far(t, service.grpc, nil, "outputs: [scores]\n"), `outputs[0] is "scores"`)
	client, err := oip.New(oip.Options{Address: service.grpc, Describe: ort.PortsOf})
	require.NoError(t, err)
	defer client.Close()
	yaml, graph := small(t)
	spec, err := infer.ParseSpec("surface-small", yaml)
	require.NoError(t, err)
	spec.OIP.Model = "surface-small"
	same, err := client.Load(soon(t), infer.Source{Spec: spec, ONNX: graph})
	require.NoError(t, err)
	require.NoError(t, same.Close())
	other, err := os.ReadFile(filepath.Join("..", "models", "vibration-small", "1", infer.GraphFile))
	require.NoError(t, err)
	_, err = client.Load(soon(t), infer.Source{Spec: spec, ONNX: other})
	require.ErrorContains(t, err, "they are different models")

	awaitFailure(t, far(t, "127.0.0.1:1", nil, ""), "cannot be reached")
}

func TestAnyClientOfTheProtocolIsServed(t *testing.T) {
	service, _ := serving(t, "CLOUD_LIMITS_MESSAGEBYTES=65536")
	conn, client := kserve(t, service)
	ready, err := client.ServerReady(soon(t), &inference.ServerReadyRequest{})
	require.NoError(t, err)
	assert.True(t, ready.GetReady())
	meta, err := client.ModelMetadata(soon(t), &inference.ModelMetadataRequest{Name: "surface-small"})
	require.NoError(t, err)
	require.Len(t, meta.GetInputs(), 1)
	in := meta.GetInputs()[0]
	assert.Equal(t, []int64{3, 60, 80}, in.GetShape()[1:])
	assert.Equal(t, "FP32", in.GetDatatype())

	// Generated code without the codec, as other languages have it; both forms of contents.
	request := func() *inference.ModelInferRequest {
		return &inference.ModelInferRequest{
			ModelName: "surface-small", Id: "a",
			Inputs: []*inference.ModelInferRequest_InferInputTensor{{Name: in.GetName(), Datatype: "FP32", Shape: []int64{1, 3, 60, 80}}},
		}
	}
	raw := request()
	raw.RawInputContents = [][]byte{make([]byte, 4*3*60*80)}
	got, err := client.ModelInfer(soon(t), raw)
	require.NoError(t, err)
	assert.Equal(t, "a", got.GetId())
	require.Len(t, got.GetRawOutputContents(), 1)
	assert.Len(t, got.GetRawOutputContents()[0], 4*5)
	typed := request()
	typed.Inputs[0].Contents = &inference.InferTensorContents{Fp32Contents: make([]float32, 3*60*80)}
	got, err = client.ModelInfer(soon(t), typed)
	require.NoError(t, err)
	assert.Len(t, got.GetOutputs()[0].GetContents().GetFp32Contents(), 5)
	assert.Empty(t, got.GetRawOutputContents())

	// What is wrong, and how it is said.
	_, err = client.ModelInfer(soon(t), &inference.ModelInferRequest{ModelName: "none"})
	require.Equal(t, codes.NotFound, status.Code(err), "%v", err)
	_, err = client.ModelInfer(soon(t), request())
	require.Equal(t, codes.InvalidArgument, status.Code(err), "%v", err)
	large := request()
	large.RawInputContents = [][]byte{make([]byte, 100<<10)}
	_, err = client.ModelInfer(soon(t), large)
	require.Equal(t, codes.ResourceExhausted, status.Code(err), "%v", err)
	past, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	_, err = client.ModelInfer(past, raw)
	require.Equal(t, codes.DeadlineExceeded, status.Code(err), "%v", err)
	_, err = client.RepositoryModelUnload(soon(t), &inference.RepositoryModelUnloadRequest{ModelName: "surface-small"})
	require.Equal(t, codes.Unavailable, status.Code(err), "%v", err)
	index, err := client.RepositoryIndex(soon(t), &inference.RepositoryIndexRequest{})
	require.NoError(t, err)
	assert.Equal(t, "READY", index.GetModels()[0].GetState())

	assert.Contains(t, listed(t, conn), "inference.GRPCInferenceService")
}

func TestClientsLoadAndUnloadWhereThatIsAllowed(t *testing.T) {
	service, _ := serving(t, "CLOUD_OIP_CONTROL=true")
	_, client := kserve(t, service)
	ready := func() bool {
		r, err := client.ModelReady(soon(t), &inference.ModelReadyRequest{Name: "surface-small"})
		require.NoError(t, err)
		return r.GetReady()
	}
	require.True(t, ready())
	_, err := client.RepositoryModelUnload(soon(t), &inference.RepositoryModelUnloadRequest{ModelName: "surface-small"})
	require.NoError(t, err)
	require.False(t, ready())
	_, err = client.RepositoryModelLoad(soon(t), &inference.RepositoryModelLoadRequest{ModelName: "surface-small"})
	require.NoError(t, err)
	require.True(t, ready())
	_, err = client.RepositoryModelLoad(soon(t), &inference.RepositoryModelLoadRequest{ModelName: "none"})
	require.Equal(t, codes.NotFound, status.Code(err), "%v", err)
}

// listed is what `grpcurl -plaintext host:port list` shows.
func listed(t *testing.T, conn *grpc.ClientConn) []string {
	t.Helper()
	ctx, cancel := context.WithCancel(soon(t))
	defer cancel()
	stream, err := reflectionpb.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
	require.NoError(t, err)
	require.NoError(t, stream.Send(&reflectionpb.ServerReflectionRequest{MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{}}))
	response, err := stream.Recv()
	require.NoError(t, err)
	var names []string
	for _, s := range response.GetListServicesResponse().GetService() {
		names = append(names, s.GetName())
	}
	return names
}

func TestTheProtocolCanBeTurnedOff(t *testing.T) {
	service := start(t, "CLOUD_MODELS_DIR="+t.TempDir(), "CLOUD_OIP_ENABLED=false")
	conn, client := kserve(t, service)
	_, err := client.ServerLive(soon(t), &inference.ServerLiveRequest{})
	require.Equal(t, codes.Unimplemented, status.Code(err), "%v", err)
	assert.NotContains(t, listed(t, conn), "inference.GRPCInferenceService")
}

// issue writes a certificate for "cloud.test", which is its own authority.
func issue(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "cloud.test"}, DNSNames: []string{"cloud.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	require.NoError(t, err)
	rawKey, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	cert, key = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: rawKey}), 0o600))
	return cert, key
}

func TestMutualTLSBetweenBackendAndService(t *testing.T) {
	cert, key := issue(t)
	service, _ := serving(t, "CLOUD_TLS_ENABLED=true", "CLOUD_TLS_CERT="+cert, "CLOUD_TLS_KEY="+key, "CLOUD_TLS_CA="+cert)
	secured := endpoint.TLS{Enabled: true, CA: cert, Cert: cert, Key: key, ServerName: "cloud.test"}
	r := far(t, service.grpc, func(o *oip.Options) { o.TLS = secured }, "")
	_, err := r.InferModel(soon(t), part(t))
	require.NoError(t, err)

	for name, change := range map[string]func(*endpoint.TLS){
		"no certificate":  func(c *endpoint.TLS) { c.Cert, c.Key = "", "" },
		"another name":    func(c *endpoint.TLS) { c.ServerName = "other.test" },
		"other authority": func(c *endpoint.TLS) { c.CA, _ = issue(t) },
		"no TLS":          func(c *endpoint.TLS) { *c = endpoint.TLS{} },
	} {
		t.Run(name, func(t *testing.T) {
			wrong := secured
			change(&wrong)
			awaitFailure(t, far(t, service.grpc, func(o *oip.Options) { o.TLS = wrong }, ""), "cannot be reached")
		})
	}
}
