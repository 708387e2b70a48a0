// SPDX-License-Identifier: Apache-2.0

package runner

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"edgex-offload/offload"
	"edgex-offload/offload/link"
	"edgex-offload/remote"
)

// lyingRemote answers with the times that it is told to.
type lyingRemote struct{ reply remote.Reply }

func (l *lyingRemote) Offload(_ context.Context, _ offload.Task, sent func()) (remote.Reply, error) {
	sent()
	r := l.reply
	r.Answer = offload.Answer{Label: "good"}
	return r, nil
}

func (l *lyingRemote) Probe(context.Context) (remote.ProbeReply, error) {
	return remote.ProbeReply{
		RTT: 20 * time.Millisecond, Method: remote.MethodRPC, WireBytes: 200, Received: l.reply.Received, Sent: l.reply.Sent,
		Socket: link.Socket{Connection: 3, RTT: time.Millisecond},
	}, nil
}

func (l *lyingRemote) ProbeTrain(context.Context, int, int) (remote.TrainReply, error) {
	return remote.TrainReply{Up: 10_000, UpSpread: 16 * time.Millisecond, Down: 10_000, DownSpread: 4 * time.Millisecond, WireBytes: 21_000}, nil
}

// lines is a log that may be read while it is written.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), what)
}

func TestAPeerThatLiesIsCountedAndNamedOnce(t *testing.T) {
	for _, c := range []struct {
		name   string
		reply  remote.Reply
		reason link.Reason
	}{
		{"service time", remote.Reply{Implausible: true}, link.ServiceTooLong},
		{"sent before received", remote.Reply{Received: time.Unix(100, 0), Sent: time.Unix(99, 0), Implausible: true}, link.AbsurdTimestamp},
		{"held for a year", remote.Reply{Received: time.Unix(100, 0), Sent: time.Unix(100+365*24*3600, 0), Implausible: true}, link.AbsurdTimestamp},
	} {
		t.Run(c.name, func(t *testing.T) {
			log := &lines{}
			b := start(t, func(o *Options) {
				o.Targets = []Target{{Name: "cloud", Remote: &lyingRemote{c.reply}}}
				o.Settings.Policy = offload.PolicyCloud
				o.Logger = slog.New(slog.NewTextHandler(log, nil))
			})
			for i := range 5 {
				if o := b.Do(t.Context(), newTask(fmt.Sprint(i))); o.Answer == nil {
					t.Fatalf("a task paid for the lie: %+v", o)
				}
			}
			l := b.Links(false)[0]
			if n := l.Rejected[c.reason.String()]; n < 5 {
				t.Errorf("counted %d of 5 as %v: %v", n, c.reason, l.Rejected)
			}
			if n := log.count("reason=" + c.reason.String()); n != 1 {
				t.Errorf("%d lines in the log, want 1", n)
			}
			if l.RTTMs < 0 || l.RTTMs > 1000 {
				t.Errorf("round trip %v ms", l.RTTMs)
			}
		})
	}
}

func TestALinkIsShownWithItsSamples(t *testing.T) {
	b := start(t, func(o *Options) {
		o.Targets = []Target{{Name: "cloud", Remote: &lyingRemote{}}, {Name: "peer", Remote: &lyingRemote{}, Metered: true}}
		o.Settings.Policy = offload.PolicyLocal // the link is asked for, and measured by probes alone
	})
	eventually(t, "no train was sent", func() bool {
		b.Do(t.Context(), newTask("x"))
		return b.Links(false)[0].UpKbps > 0
	})
	links := b.Links(false)
	if l := links[0]; l.RTTMs != 20 || l.UpKbps != 5000 || l.DownKbps != 20000 || l.Probing != "rpc" || l.Reconnects != 2 || l.TCP == nil || l.ProbeBytes < 21_200 {
		t.Errorf("%+v", l)
	}
	if l := links[1]; !l.Metered || l.UpKbps != 0 || l.UpAgeMs != -1 || l.RTTMs != 20 {
		t.Errorf("the metered one: %+v", l)
	}
	samples, ok := b.LinkSamples("cloud", 2, 0)
	if !ok || len(samples) != 2 || samples[0].Seq != 1 || samples[0].Kind != "rtt" || samples[0].RTTMs != 20 {
		t.Errorf("%v %+v", ok, samples)
	}
	all, _ := b.LinkSamples("cloud", 1000, 0)
	kinds := map[string]bool{}
	for i, s := range all {
		kinds[s.Kind] = true
		if s.Seq != uint64(i+1) {
			t.Fatalf("sample %d has seq %d", i, s.Seq)
		}
	}
	if !kinds["up"] || !kinds["down"] || kinds["lost"] {
		t.Errorf("kinds %v", kinds)
	}
	if rest, _ := b.LinkSamples("cloud", 1000, uint64(len(all))+1000); len(rest) != 0 {
		t.Errorf("%d samples after the last", len(rest))
	}
	if _, ok := b.LinkSamples("moon", 1, 0); ok {
		t.Error("samples of a target that is not there")
	}
}

func TestHistoryIsBounded(t *testing.T) {
	var r ring
	for i := range historyLength + 10 {
		r.add(LinkPoint{AtMs: int64(i)})
	}
	all := r.all()
	if len(all) != historyLength || all[0].AtMs != 10 || all[len(all)-1].AtMs != historyLength+9 {
		t.Errorf("%d points from %d to %d", len(all), all[0].AtMs, all[len(all)-1].AtMs)
	}
	var l linkLog
	for range mostSamples + 5 {
		l.take(LinkSample{Kind: "rtt"})
	}
	if got := l.since(3, 0); len(got) != 3 || got[0].Seq != 6 {
		t.Errorf("the oldest that are kept: %+v", got)
	}
}
