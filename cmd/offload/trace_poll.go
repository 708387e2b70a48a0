// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"edgex-offload/runner"
)

const (
	pollPace    = time.Second
	pollTimeout = 10 * time.Second
	// pollLimit is how many measurements are asked for at a time, and maxPages how often in
	// a row: more than the service keeps.
	pollLimit, maxPages = 1000, 32
	mostAnswer          = 1 << 20 // bytes
	// silence is after how many polls without a measurement it is looked whether the
	// service started anew, and with it its sequence numbers.
	silence = 10
)

// poller asks an app-service what it measured.
type poller struct {
	endpoint, target string
	http             http.Client

	after  uint64 // the service's sequence number of the newest that is known
	newest int64  // and the latest time
	empty  int    // polls without a measurement in a row

	failure atomic.Pointer[error] // the last
	taken   atomic.Uint64
	// repeated measurements came with a sequence number that does not follow.
	repeated atomic.Uint64
}

func newPoller(app, target string) (*poller, error) {
	address, err := url.Parse(app)
	if err != nil || address.Host == "" || address.Scheme != "http" && address.Scheme != "https" {
		return nil, fmt.Errorf("app %q: allowed is http(s)://host:port", app)
	}
	if target == "" {
		return nil, errors.New(`target "": allowed is the name of a target of the service`)
	}
	return &poller{
		endpoint: strings.TrimRight(address.String(), "/") + "/api/v3/offload/link/samples",
		target:   target,
		http:     http.Client{Timeout: pollTimeout},
	}, nil
}

func (p *poller) account() string {
	text := fmt.Sprintf("%d measurements of %s by app-service", p.taken.Load(), p.target)
	if n := p.repeated.Load(); n > 0 {
		text += fmt.Sprintf(" (%d more came out of order)", n)
	}
	if failure := p.failure.Load(); failure != nil {
		text += ", last error: " + (*failure).Error()
	}
	return text
}

// sample asks once a second. A service that cannot be asked at first is an error; one that
// goes away is asked until it comes back.
func (p *poller) sample(ctx context.Context, out chan<- []runner.LinkSample) error {
	defer p.http.CloseIdleConnections()
	if err := p.skip(ctx); err != nil {
		return err
	}
	tick := time.NewTicker(pollPace)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		switch err := p.poll(ctx, out); {
		case ctx.Err() != nil:
		case err != nil:
			p.failure.Store(&err)
		default:
			p.failure.Store(nil)
		}
	}
}

// skip passes what was measured before the recording began.
func (p *poller) skip(ctx context.Context) error {
	for range maxPages {
		samples, err := p.ask(ctx, p.after)
		if err != nil {
			return err
		}
		if len(p.follow(samples)) < pollLimit {
			return nil
		}
	}
	return nil
}

// poll hands on all that is new.
func (p *poller) poll(ctx context.Context, out chan<- []runner.LinkSample) error {
	if p.empty >= silence {
		p.empty = 0
		if err := p.lookForRestart(ctx); err != nil {
			return err
		}
	}
	p.empty++
	for range maxPages {
		samples, err := p.ask(ctx, p.after)
		if err != nil {
			return err
		}
		fresh := p.follow(samples)
		if len(fresh) == 0 {
			return nil
		}
		p.empty = 0
		p.taken.Add(uint64(len(fresh)))
		select {
		case out <- fresh:
		case <-ctx.Done():
			return nil
		}
		if len(samples) < pollLimit {
			return nil
		}
	}
	return nil
}

// follow remembers where to go on, and leaves what is new.
func (p *poller) follow(samples []runner.LinkSample) []runner.LinkSample {
	return slices.DeleteFunc(samples, func(s runner.LinkSample) bool {
		if s.Seq <= p.after {
			p.repeated.Add(1)
			return true
		}
		p.after, p.newest = s.Seq, max(p.newest, s.AtNs)
		return false
	})
}

// lookForRestart begins anew where even the oldest measurement that the service keeps is
// newer than all that is known, though it has a lower number.
func (p *poller) lookForRestart(ctx context.Context) error {
	samples, err := p.ask(ctx, 0)
	if err != nil {
		return err
	}
	if len(samples) > 0 && samples[0].Seq <= p.after && samples[0].AtNs > p.newest {
		p.after = 0
	}
	return nil
}

// ask gets what was measured after a sequence number.
func (p *poller) ask(ctx context.Context, after uint64) ([]runner.LinkSample, error) {
	query := url.Values{"target": {p.target}, "after": {fmt.Sprint(after)}, "limit": {fmt.Sprint(pollLimit)}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.endpoint+"?"+query.Encode(), nil)
	if err != nil {
		return nil, fmt.Errorf("app: %w", err)
	}
	response, err := p.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("app: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, mostAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("app: %w", err)
	case len(body) > mostAnswer:
		return nil, fmt.Errorf("app: %s answers more than %d bytes", p.endpoint, mostAnswer)
	}
	var answer struct {
		Message string              `json:"message"`
		Samples []runner.LinkSample `json:"samples"`
	}
	err = json.Unmarshal(body, &answer)
	switch {
	case response.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("app: %s answers %s: %s", p.endpoint, response.Status, answer.Message)
	case err != nil:
		return nil, fmt.Errorf("app: %s: %w", p.endpoint, err)
	case len(answer.Samples) > pollLimit:
		return nil, fmt.Errorf("app: %s answers %d measurements: allowed are %d", p.endpoint, len(answer.Samples), pollLimit)
	}
	return answer.Samples, nil
}
