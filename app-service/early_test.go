// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"testing"
)

// TestTermThatTheBootstrapTookIsGivenAgain guards against a service that hangs: the SDK's
// bootstrap has taken the SIGTERM, and Run waits for one.
func TestTermThatTheBootstrapTookIsGivenAgain(t *testing.T) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	defer signal.Stop(signals)
	ctx, cancel := context.WithCancel(t.Context())
	returned, ended := make(chan struct{}), make(chan struct{})
	go func() { defer close(ended); endEarly(ctx, returned) }()
	cancel()
	<-signals
	close(returned)
	<-ended
}
