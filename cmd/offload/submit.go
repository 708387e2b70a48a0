// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"edgex-offload/internal/wholefile"
	"edgex-offload/offload"
	"edgex-offload/remote"
)

// maxSubmitBytes bounds the file that is sent.
const maxSubmitBytes = 15 << 20

// submitOptions are the flags of submit.
type submitOptions struct {
	client   remote.ClientConfig
	model    string
	kind     string
	deadline time.Duration
}

func submitCommand() *cobra.Command {
	var o submitOptions
	cmd := &cobra.Command{
		Use:   "submit FILE",
		Short: "Send one picture to a cloud service and print its answer",
		Example: `  offload submit --address localhost:50051 --model surface part.jpg
  offload submit --address localhost:50051 --model faces --kind OBJECT_DETECTION crowd.jpg
  offload submit --address cloud.example:50051 --tls --model surface part.jpg`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return submit(cmd.Context(), cmd.OutOrStdout(), o, args[0])
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.client.Address, "address", "localhost:50051", "`host:port` of the cloud service")
	f.StringVar(&o.model, "model", "", "`name` of the model; empty lets the service choose")
	f.StringVar(&o.kind, "kind", offload.ImageClassification.String(), "`kind` of the task")
	f.DurationVar(&o.deadline, "deadline", 10*time.Second, "from now to when the answer is worth nothing")
	f.BoolVar(&o.client.TLS.Enabled, "tls", false, "connect with TLS")
	f.StringVar(&o.client.TLS.CA, "ca", "", "PEM `file` of the authorities to trust with --tls; empty is the system's")
	return cmd
}

func submit(ctx context.Context, out io.Writer, o submitOptions, path string) (err error) {
	kind, err := offload.ParseKind(o.kind)
	if err != nil {
		return err
	}
	payload, err := readPayload(path)
	if err != nil {
		return err
	}
	client, err := remote.NewClient(o.client)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	ctx, cancel := context.WithTimeout(ctx, o.deadline)
	defer cancel()
	if err := client.WaitReady(ctx); err != nil {
		return err
	}
	now := time.Now()
	reply, err := client.Offload(ctx, offload.Task{
		ID: uuid.NewString(), Kind: kind, Priority: offload.Medium, Source: "offload/submit", Model: o.model,
		Payload: payload, Created: now, Deadline: now.Add(o.deadline),
		Context: map[string]string{"model": o.model, "content-type": http.DetectContentType(payload)},
	}, func() {})
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(struct {
		offload.Answer
		ProcessedBy string  `json:"processedBy"`
		ServiceMs   float64 `json:"serviceMs"`
		QueueMs     float64 `json:"queueMs"`
		ElapsedMs   float64 `json:"elapsedMs"`
	}{reply.Answer, reply.ProcessedBy, ms(reply.Execution), ms(reply.Queue), ms(time.Since(now))})
}

func readPayload(path string) ([]byte, error) {
	payload, err := wholefile.Read(path, maxSubmitBytes)
	if err != nil {
		return nil, err
	}
	if kind := http.DetectContentType(payload); !strings.HasPrefix(kind, "image/") {
		return nil, fmt.Errorf("%s: it looks like %s: allowed are pictures (JPEG, PNG)", path, kind)
	}
	return payload, nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
