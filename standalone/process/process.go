// SPDX-License-Identifier: Apache-2.0

package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Spec says what to run.
type Spec struct {
	Name string
	// Path of the program, and its arguments without it.
	Path string
	Args []string
	// Env is added to the parent's environment.
	Env []string
	Dir string
	// Log is the file that its output is added to.
	Log string
}

// Process is a child that was started.
type Process struct {
	spec  Spec
	cmd   *exec.Cmd
	log   *logFile
	ended chan struct{} // closed when it ended and its log is complete
	err   error         // why it ended; read after ended
}

// ExitError says that a child ended, and what it said last.
type ExitError struct {
	Name string
	// Err is what the system says of its end; nil for exit status 0.
	Err error
	// Log is the file with all its output, Tail its last lines.
	Log  string
	Tail []string
}

func (e *ExitError) Error() string {
	how := "exit status 0"
	if e.Err != nil {
		how = e.Err.Error()
	}
	if len(e.Tail) == 0 {
		return fmt.Sprintf("%s ended (%s) without a word", e.Name, how)
	}
	return fmt.Sprintf("%s ended (%s); its last lines, all in %s:\n  %s", e.Name, how, e.Log, strings.Join(e.Tail, "\n  "))
}

func (e *ExitError) Unwrap() error { return e.Err }

// Start runs a child.
func Start(spec Spec) (*Process, error) {
	log, err := openLog(spec.Log, spec.Name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", spec.Name, err)
	}
	p := &Process{spec: spec, log: log, ended: make(chan struct{})}
	p.cmd = exec.Command(spec.Path, spec.Args...)
	p.cmd.Dir = spec.Dir
	p.cmd.Env = append(os.Environ(), spec.Env...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = attributes()
	// A grandchild that keeps the output open must not keep Wait from returning.
	p.cmd.WaitDelay = time.Second
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", spec.Name, err), log.Close())
	}
	return p, nil
}

// run keeps its thread from start to end: the child's parent-death signal is tied to
// the thread that started it, not to the process.
func (p *Process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	p.err = p.cmd.Wait()
	if closeErr := p.log.Close(); closeErr != nil {
		p.err = errors.Join(p.err, closeErr)
	}
	close(p.ended)
}

// Name is the spec's.
func (p *Process) Name() string { return p.spec.Name }

// PID is the process' number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Ended is closed when the child ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Err is nil while the child runs, and an *ExitError after it ended.
func (p *Process) Err() error {
	select {
	case <-p.ended:
		return &ExitError{Name: p.spec.Name, Err: p.err, Log: p.spec.Log, Tail: p.log.tail()}
	default:
		return nil
	}
}

// Stop asks the child to end, and ends it and all it started when grace is over. It
// returns when they have.
func (p *Process) Stop(grace time.Duration) {
	group := -p.cmd.Process.Pid
	select {
	case <-p.ended:
	default:
		// The group may have ended this moment: then there is nothing to end.
		_ = syscall.Kill(group, syscall.SIGTERM)
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-p.ended:
		case <-timer.C:
		}
	}
	_ = syscall.Kill(group, syscall.SIGKILL) // what is left of the group
	<-p.ended
}

// pollInterval is the pause between two checks of whether a child is ready.
const pollInterval = 50 * time.Millisecond

// Ready waits until check succeeds. It fails when the child ends, when ctx ends, or
// when it took longer than limit; the error has what check said last.
func (p *Process) Ready(ctx context.Context, limit time.Duration, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.ended:
			return p.Err()
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready after %s: %w; its log is %s", p.spec.Name, limit, err, p.spec.Log)
		case <-tick.C:
		}
	}
}
