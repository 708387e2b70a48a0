// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"edgex-offload/infer/ort"
	"edgex-offload/standalone/stack"
)

// patience bounds each wait: far more than any of them takes on a slow machine.
const patience = 90 * time.Second

// root is the repository's.
const root = "../.."

// binaries is the folder that TestMain built; there is no other way to hand it on.
var binaries string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	flag.Parse()
	if testing.Short() {
		fmt.Println("e2e: skipped with -short")
		return 0
	}
	var err error
	if binaries, err = build(); err != nil {
		fmt.Println("e2e:", err)
		return 1
	}
	defer func() { _ = os.RemoveAll(binaries) }()
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Println("e2e:", err)
			return 1
		}
	}
	return code
}

// build makes the binaries from the tree as it is, so that no old one is tested.
func build() (string, error) {
	folder, err := os.MkdirTemp("", "offload-e2e-")
	if err != nil {
		return "", err
	}
	command := exec.Command("go", "build", "-buildvcs=false", "-o", folder+string(filepath.Separator),
		"./device-service", "./app-service", "./cloud-service", "./cmd/offload")
	command.Dir = root
	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, output)
	}
	return folder, nil
}

// needONNXRuntime skips visibly without the library, and tells the services where it is.
func needONNXRuntime(t *testing.T) {
	t.Helper()
	library, err := ort.Find("")
	if err != nil {
		t.Skip("no ONNX Runtime (scripts/get-onnxruntime.sh gets it): ", err)
	}
	t.Setenv(ort.LibraryEnv, library)
}

// start runs a stack until the test ends. Its logs are shown when the test fails.
func start(t *testing.T, o stack.Options) *stack.Stack {
	t.Helper()
	needONNXRuntime(t)
	o.Home, o.Bin, o.Dir = root, binaries, t.TempDir()
	if o.Link.Profile == "" {
		o.Link.Profile = "lan"
	}
	o.Progress = t.Logf
	s, err := stack.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, s.Died(), "a service ended by itself")
		assert.NoError(t, s.Stop())
		if t.Failed() {
			showLogs(t, o.Dir)
		}
	})
	return s
}

// shownLogBytes of each log's end are shown.
const shownLogBytes = 4000

func showLogs(t *testing.T, dir string) {
	t.Helper()
	logs, _ := filepath.Glob(filepath.Join(dir, "logs", "*.log"))
	for _, log := range logs {
		body, err := os.ReadFile(log)
		if err == nil {
			t.Logf("%s:\n%s", filepath.Base(log), body[max(0, len(body)-shownLogBytes):])
		}
	}
}
