// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

// version is set by the linker.
var version = "source"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := command(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "cloud-service:", err)
		stop()
		os.Exit(1)
	}
}

// command runs the service until ctx ends.
func command(ctx context.Context, args, environ []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("cloud-service", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	var file string
	var showVersion bool
	flags.StringVar(&file, "c", "", "")
	flags.StringVar(&file, "config", "", "")
	flags.BoolVar(&showVersion, "version", false, "")
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		usage(stdout)
		return err
	case err != nil:
		return fmt.Errorf("%w; --help lists what there is", err)
	case flags.NArg() > 0:
		return fmt.Errorf("argument %q: allowed are -c FILE, --version, --help", flags.Arg(0))
	case showVersion:
		_, err := fmt.Fprintln(stdout, version)
		return err
	}
	c, unknown, err := load(file, environ)
	if err != nil {
		return err
	}
	log := newLog(c, stderr)
	if len(unknown) > 0 {
		log.Info("these variables of the environment are no settings; --help lists what is", "names", unknown)
	}
	return run(ctx, c, log)
}

func newLog(c config, w io.Writer) *slog.Logger {
	level, _ := c.level() // checked by load
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

func usage(w io.Writer) {
	fmt.Fprint(w, `cloud-service answers the AI tasks that edge boxes send it over gRPC
(edge_ai.EdgeAIService), with the models of a folder.

  cloud-service                          all defaults: port 50051, models from ./models
  cloud-service -c configuration.yaml    settings from a file
  CLOUD_ADDRESS=:6000 cloud-service      a setting from the environment, which wins

Look at it:
  curl localhost:50052/healthz           models, and what runs and waits
  curl localhost:50052/readyz            200 when a model is ready, else 503
  curl localhost:50052/metrics           for Prometheus
  grpcurl -plaintext localhost:50051 list

Flags:
  -c, --config FILE   YAML; keys that are left out keep their default
  --version           print the version
  -h, --help          this

Settings, as Section.Key in the file and CLOUD_SECTION_KEY in the environment:
`)
	c := defaults()
	for _, s := range settings(&c) {
		fmt.Fprintf(w, "\n  %s = %s\n      %s\n      %s\n", s.key, s, s.help, s.env())
	}
}
