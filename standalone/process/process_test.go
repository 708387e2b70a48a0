// SPDX-License-Identifier: Apache-2.0

package process_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"edgex-offload/standalone/process"
)

// role makes this test binary play a child instead of testing.
const role = "PROCESS_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "":
		goleak.VerifyTestMain(m)
	case "fails":
		fmt.Println("first line")
		fmt.Fprint(os.Stderr, "no such camera")
		os.Exit(3)
	case "serves":
		serve()
	case "stubborn": // ignores the request to end, and so does what it started
		signal.Ignore(syscall.SIGTERM)
		grandchild := exec.Command(os.Args[0])
		grandchild.Env = append(os.Environ(), role+"=serves")
		grandchild.Stdout = os.Stdout
		if err := grandchild.Start(); err != nil {
			panic(err)
		}
		select {}
	}
}

// serve says where it listens, and runs until it is asked to end.
func serve() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println("listening on", listener.Addr())
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	<-asked
	fmt.Println("ended as asked")
}

func start(t *testing.T, what string) (*process.Process, string) {
	t.Helper()
	log := filepath.Join(t.TempDir(), "child.log")
	p, err := process.Start(process.Spec{Name: "child", Path: os.Args[0], Env: []string{role + "=" + what}, Log: log})
	require.NoError(t, err)
	t.Cleanup(func() { p.Stop(0) })
	return p, log
}

// address waits until the child's log says where it listens.
func address(t *testing.T, p *process.Process, log string) (found string) {
	t.Helper()
	err := p.Ready(context.Background(), 30*time.Second, func(context.Context) error {
		file, err := os.Open(log)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		for lines := bufio.NewScanner(file); lines.Scan(); {
			if _, after, ok := strings.Cut(lines.Text(), "child | listening on "); ok {
				found = after
				return nil
			}
		}
		return errors.New("does not listen yet")
	})
	require.NoError(t, err)
	return found
}

func TestAChildThatDiesIsReportedWithItsLastWords(t *testing.T) {
	p, log := start(t, "fails")
	err := p.Ready(context.Background(), 30*time.Second, func(context.Context) error { return errors.New("no") })
	var exit *process.ExitError
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, []string{"first line", "no such camera"}, exit.Tail)
	assert.EqualError(t, err, "child ended (exit status 3); its last lines, all in "+log+":\n  first line\n  no such camera")
	assert.Equal(t, err, p.Err())
	p.Stop(time.Second) // once more is fine
}

func TestAChildEndsWhenAsked(t *testing.T) {
	p, log := start(t, "serves")
	address(t, p, log)
	require.NoError(t, p.Err())
	p.Stop(30 * time.Second)
	var exit *process.ExitError
	require.ErrorAs(t, p.Err(), &exit)
	require.NoError(t, exit.Err)
	assert.Equal(t, "ended as asked", exit.Tail[len(exit.Tail)-1])
}

func TestAChildThatWillNotEndIsEndedWithAllItStarted(t *testing.T) {
	p, log := start(t, "stubborn")
	where := address(t, p, log) // of the grandchild
	p.Stop(0)
	require.Error(t, p.Err())
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", where)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, 30*time.Second, 10*time.Millisecond, "what the child started still runs")
}

func TestReadySaysWhatWasMissing(t *testing.T) {
	p, _ := start(t, "serves")
	err := p.Ready(context.Background(), time.Millisecond, func(context.Context) error { return errors.New("connection refused") })
	require.ErrorContains(t, err, "child is not ready after 1ms: connection refused")
}

func TestAProgramThatIsNotThere(t *testing.T) {
	dir := t.TempDir()
	_, err := process.Start(process.Spec{Name: "child", Path: filepath.Join(dir, "nothing"), Log: filepath.Join(dir, "log")})
	require.ErrorContains(t, err, "start child")
	_, err = process.Start(process.Spec{Name: "child", Path: os.Args[0], Log: filepath.Join(dir, "no", "log")})
	require.ErrorContains(t, err, "open its log")
}
