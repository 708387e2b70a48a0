// SPDX-License-Identifier: Apache-2.0

package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

const (
	tailLines = 12
	// maxLine bounds a line of output; a longer one is broken in two.
	maxLine = 64 << 10
	// maxLogBytes bounds a child's log; what comes after is dropped with a last line
	// that says so.
	maxLogBytes = 256 << 20
)

// logFile writes lines with time and name, and remembers the last ones.
type logFile struct {
	mu      sync.Mutex
	file    *os.File
	name    string
	written int64
	partial []byte   // a line whose end has not come yet
	last    []string // at most tailLines
}

func openLog(path, name string) (*logFile, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open its log: %w", err)
	}
	return &logFile{file: file, name: name}, nil
}

// Write takes any part of the output. It never fails: a full disk must not end a child.
func (l *logFile) Write(output []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rest := output
	for {
		line, after, whole := bytes.Cut(rest, []byte("\n"))
		l.partial = append(l.partial, line...)
		if !whole {
			if len(l.partial) >= maxLine {
				l.endLine()
			}
			return len(output), nil
		}
		l.endLine()
		rest = after
	}
}

func (l *logFile) endLine() {
	line := string(bytes.TrimRight(l.partial, "\r"))
	l.partial = l.partial[:0]
	if len(l.last) == tailLines {
		l.last = append(l.last[:0], l.last[1:]...)
	}
	l.last = append(l.last, line)
	if l.written > maxLogBytes {
		return
	}
	text := fmt.Sprintf("%s %s | %s\n", time.Now().Format("15:04:05.000"), l.name, line)
	if l.written += int64(len(text)); l.written > maxLogBytes {
		text = fmt.Sprintf("%s | the log is full at %d bytes, the rest is dropped\n", l.name, maxLogBytes)
	}
	_, _ = l.file.WriteString(text)
}

func (l *logFile) tail() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.last...)
}

// Close writes what came without a line's end.
func (l *logFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.partial) > 0 {
		l.endLine()
	}
	if err := l.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("close log: %w", err)
	}
	return nil
}
