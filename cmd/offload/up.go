// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"edgex-offload/offload"
	"edgex-offload/standalone/emulator"
	"edgex-offload/standalone/stack"
)

// upOptions are the flags of up.
type upOptions struct {
	stack     stack.Options
	length    time.Duration
	report    string
	decisions string
	portBase  int
	keep      bool
}

func upCommand() *cobra.Command {
	var o upOptions
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Run everything on this machine and watch tasks being offloaded",
		Long: `up starts, without an EdgeX stack and without Docker, an MQTT broker, a development
stand-in for core-metadata, and the production services as processes of their own:
device-service, app-service, and cloud-service behind an emulated link whose delay,
rate, loss and outages change. It shows the decisions as they are made, and what they
came to at the end. Ctrl-C ends it.

Links (--profile):
` + profileLines() + `
It ends with an error that names the stage when a stage carried nothing: frames, tasks,
outcomes, events, and the cloud, which must have been within reach (unless the policy is
"local") and must have answered when it was chosen five times or more.`,
		Example: `  # Two synthetic sources, shipped models, a wireless link
  offload up

  # Half a minute over a link with outages; the figures as JSON, each decision as a line
  offload up --profile flaky --for 30s --report report.json --decisions decisions.jsonl

  # A recorded link: CSV with t_ms,rtt_ms,up_kbps,down_kbps,loss on a grid of 50 ms
  offload up --trace drive.csv

  # Your own camera and your own model: a folder of JPEG files, or an http(s) address
  # of an MJPEG stream or a JPEG, and <name>/<version>/{model.onnx,model.yaml}
  offload up --camera ./photos --models ./my-models --model faces
  offload up --camera http://user:password@camera.local/video.mjpg

  # What a policy does: quantile, cost, linucb, dqn, threshold, local or cloud
  offload up --policy threshold --profile lte --deadline 300ms --fps 10`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return up(cmd, o) },
	}
	f := cmd.Flags()
	f.DurationVar(&o.length, "for", 0, "run this long, then end; 0 runs until Ctrl-C")
	f.StringVar(&o.report, "report", "", "write the figures as JSON to this `file`")
	f.StringVar(&o.decisions, "decisions", "", "write each decision record as a line of JSON to this `file`")
	f.StringVar(&o.stack.Link.Profile, "profile", "wifi", "emulated link: "+strings.Join(profileNames(), ", "))
	f.StringVar(&o.stack.Link.Trace, "trace", "", "emulate the link that this CSV `file` recorded; it repeats at its end")
	f.Int64Var(&o.stack.Link.Seed, "seed", 1, "of the emulated link; another gives another course of events")
	f.StringVar(&o.stack.Camera, "camera", "", "use this camera, a folder or URL, in place of the synthetic sources")
	f.StringVar(&o.stack.Models, "models", "", "`folder` of models, in place of those that are shipped")
	f.StringVar(&o.stack.Model, "model", "", "`name` of the model to run (what its model.yaml serves)")
	f.StringVar(&o.stack.Policy, "policy", "", "`policy` that decides: "+strings.Join(offload.Policies(), ", ")+" (default that of the configuration)")
	f.DurationVar(&o.stack.Deadline, "deadline", 0, "from capture to when a result is worth nothing (default that of the configuration)")
	f.Float64Var(&o.stack.FrameRate, "fps", 0, "frames per second of the camera (default that of the device)")
	f.IntVar(&o.portBase, "port-base", 0, "use ports from this one on; 0 uses EdgeX's, and a free one where one is taken")
	f.StringVar(&o.stack.Dir, "dir", "", "run directory for logs and devices (default a temporary one)")
	f.BoolVar(&o.keep, "keep", false, "keep the run directory; it is always kept after an error")
	f.StringVar(&o.stack.Home, "home", "", "`folder` with res, profiles and models (default beside or above this program)")
	cmd.MarkFlagsMutuallyExclusive("profile", "trace")
	return cmd
}

func profileLines() string {
	var lines strings.Builder
	for _, p := range emulator.Profiles() {
		fmt.Fprintf(&lines, "  %-10s %s\n", p.Name, p.About)
	}
	return lines.String()
}

func profileNames() []string {
	var names []string
	for _, p := range emulator.Profiles() {
		names = append(names, p.Name)
	}
	return names
}

// up runs the stack and keeps its files where they may be needed.
func up(cmd *cobra.Command, o upOptions) error {
	if o.length < 0 || (o.length > 0 && o.length < time.Second) {
		return fmt.Errorf("for %s: allowed is 0, or 1s and more", o.length)
	}
	if o.portBase != 0 && (o.portBase < 1024 || o.portBase > 65000) {
		return fmt.Errorf("port-base %d: allowed is 0, or 1024 to 65000", o.portBase)
	}
	if err := o.place(); err != nil {
		return err
	}
	temporary := o.stack.Dir == ""
	if temporary {
		dir, err := os.MkdirTemp("", "offload-up-")
		if err != nil {
			return fmt.Errorf("run directory: %w", err)
		}
		o.stack.Dir = dir
	}
	err := watchRun(cmd.Context(), cmd.OutOrStdout(), o)
	logs, _ := filepath.Glob(filepath.Join(o.stack.Dir, "logs", "*"))
	if temporary && (len(logs) == 0 || (err == nil && !o.keep)) {
		return errors.Join(err, os.RemoveAll(o.stack.Dir))
	}
	if err != nil && len(logs) > 0 {
		return fmt.Errorf("%w\nlogs are in %s", err, filepath.Dir(logs[0]))
	}
	return err
}

// place finds the services' binaries, which lie beside this program, and the folders
// that they need, which lie beside or above it.
func (o *upOptions) place() error {
	o.stack.Ports = stack.DefaultPorts()
	if o.portBase != 0 {
		o.stack.Ports = stack.From(o.portBase)
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	if program, err = filepath.EvalSymlinks(program); err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	o.stack.Bin = filepath.Dir(program)
	if o.stack.Home != "" {
		return nil
	}
	candidates := []string{o.stack.Bin, filepath.Dir(o.stack.Bin), "."}
	i := slices.IndexFunc(candidates, func(folder string) bool {
		_, err := os.Stat(filepath.Join(folder, "res", "app-service", "configuration.yaml"))
		return err == nil
	})
	if i < 0 {
		return errors.New("home: no folder with res, profiles and models beside or above this program: say --home")
	}
	o.stack.Home = candidates[i]
	return nil
}

// bounded ends a context after the run's length, where there is one.
func bounded(ctx context.Context, length time.Duration) (context.Context, context.CancelFunc) {
	if length == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, length)
}
