// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"edgex-offload/remote"
	"edgex-offload/standalone/emulator"
)

// recordOptions are the flags of trace record.
type recordOptions struct {
	to          string
	length      time.Duration
	app, target string
	client      remote.ClientConfig
	every       time.Duration
	rateEvery   time.Duration
	upKbps      float64
	downKbps    float64
}

func traceRecordCommand() *cobra.Command {
	var o recordOptions
	cmd := &cobra.Command{
		Use:   "record --to FILE",
		Short: "Record the link of your site as a trace",
		Long: `record writes what is measured of a link as a trace, until Ctrl-C or for as long as --for
says. Replay it with "offload up --trace FILE" and "offload twin --traces FILE".

There are two sources:
  --app       what a running app-service measures of one of its targets (--target) while
              it works. Nothing is sent over the link for it. Where the service measures
              seldom, the trace is coarse: an outage shorter than the time between two
              measurements may be missed.
  --address   a cloud service or peer, which is probed at the trace's own pace of 50 ms:
              finer, but it costs bytes. A round trip takes some 600 bytes both ways, 43 MB
              an hour at 20 a second; --every lowers that. Rates are probed with three short
              trains of packets every --rate-every, 32 MB an hour at 10 s; 0 sends none, for
              links that are paid by the byte. Trains that small show a long and fast link
              to carry at least so much, which is said then.

A slot is an outage (loss 1) if nothing that began in it came back; what is late comes back
with a long round trip. Between measurements the nearest one counts, for 30 s at the most:
longer gaps, and steps of the clock, are left out and counted. Rates hold until the next
one; --up-kbps and --down-kbps are written where none was measured.

The file must be new. Whole rows are added to it every second, so that what was recorded
stays there whatever happens; the last 15 s are added at the end, as late answers may change
them until then.`,
		Example: `  # Ten minutes of the link that a service in operation uses
  offload trace record --app http://localhost:59740 --target cloud --for 10m --to site.csv

  # The same by itself; a link that is paid by the byte: 2 MB an hour
  offload trace record --address cloud.example:50051 --tls --for 10m --to site.csv
  offload trace record --address cloud.example:50051 --every 1s --rate-every 0 --up-kbps 4000 --down-kbps 12000 --to lte.csv

  offload trace show site.csv --png site.png
  offload up --trace site.csv`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return recordTrace(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.to, "to", "", "write to this new `file`")
	f.DurationVar(&o.length, "for", 0, "record this long; 0 is until Ctrl-C")
	f.StringVar(&o.app, "app", "", "`URL` of an app-service, as in http://localhost:59740")
	f.StringVar(&o.target, "target", "cloud", "`name` of its target")
	f.StringVar(&o.client.Address, "address", "", "`host:port` of a cloud service or peer to probe")
	f.BoolVar(&o.client.TLS.Enabled, "tls", false, "connect with TLS")
	f.StringVar(&o.client.TLS.CA, "ca", "", "PEM `file` of the authorities to trust with --tls; empty is the system's")
	f.DurationVar(&o.every, "every", emulator.Slot, "probe the round trip at this pace")
	f.DurationVar(&o.rateEvery, "rate-every", 10*time.Second, "probe the rates at this pace; 0 never does")
	f.Float64Var(&o.upKbps, "up-kbps", 10e3, "uplink in kbit/s to write before, or without, a measured one")
	f.Float64Var(&o.downKbps, "down-kbps", 50e3, "downlink in kbit/s to write before, or without, a measured one")
	_ = cmd.MarkFlagRequired("to")
	cmd.MarkFlagsOneRequired("app", "address")
	cmd.MarkFlagsMutuallyExclusive("app", "address")
	for _, probing := range []string{"tls", "ca", "every", "rate-every"} {
		cmd.MarkFlagsMutuallyExclusive("app", probing)
	}
	cmd.MarkFlagsMutuallyExclusive("address", "target")
	return cmd
}

// check names a flag that is wrong, its value and what is allowed.
func (o recordOptions) check() error {
	between := func(name string, v, low, high time.Duration) error {
		if v != 0 && (v < low || v > high) {
			return fmt.Errorf("%s %s: allowed is 0, or %s to %s", name, v, low, high)
		}
		return nil
	}
	kbps := func(name string, v float64) error {
		if !(v > 0 && v <= mostKbps) {
			return fmt.Errorf("%s %g: allowed is above 0 to %g", name, v, mostKbps)
		}
		return nil
	}
	if o.every < emulator.Slot || o.every > longestHeld/2 {
		return fmt.Errorf("every %s: allowed is %s to %s", o.every, emulator.Slot, longestHeld/2)
	}
	return errors.Join(
		between("for", o.length, time.Second, emulator.MaxTrace),
		between("rate-every", o.rateEvery, time.Second, time.Hour),
		kbps("up-kbps", o.upKbps), kbps("down-kbps", o.downKbps),
	)
}

// source is where the measurements come from.
func (o recordOptions) source() (sampler, func() error, error) {
	if o.app != "" {
		p, err := newPoller(o.app, o.target)
		return p, func() error { return nil }, err
	}
	client, err := remote.NewClient(o.client)
	if err != nil {
		return nil, nil, err
	}
	return &prober{target: client, every: o.every, rateEvery: o.rateEvery}, client.Close, nil
}

func recordTrace(ctx context.Context, out, errOut io.Writer, o recordOptions) (err error) {
	if err := o.check(); err != nil {
		return err
	}
	from, closeSource, err := o.source()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeSource()) }()
	file, err := os.OpenFile(o.to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // a trace is no secret
	if err != nil {
		return fmt.Errorf("to: %w; allowed is a file that is not there yet", err)
	}
	r := newRecording(file, errOut, o)
	err = errors.Join(r.run(ctx, from), file.Close())
	if r.grid.answered == 0 {
		return errors.Join(err, fmt.Errorf("nothing was recorded: %s", from.account()), os.Remove(o.to))
	}
	return errors.Join(err, r.sum(out, o.to, from))
}
