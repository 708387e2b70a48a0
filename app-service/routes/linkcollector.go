// SPDX-License-Identifier: Apache-2.0

package routes

import (
	"github.com/prometheus/client_golang/prometheus"

	"edgex-offload/runner"
)

// linkCollector turns what is known of each link into metrics at each scrape. What was
// never measured has no sample: a 0 would look like a link without delay or rate.
type linkCollector struct {
	links func(history bool) []runner.LinkStatus
	descs linkDescs
}

type linkDescs struct {
	rtt, rttVar, minRTT, jitter, loss, age, heard           *prometheus.Desc
	upRate, upBySize, upAtLeast, downRate, upQueue, stalled *prometheus.Desc
	predicted, predictions, held, calibration               *prometheus.Desc
	metered, probes, probesLost, probeBytes                 *prometheus.Desc
	reconnects, rejected                                    *prometheus.Desc
	tcpRTT, tcpRTTVar, tcpMinRTT, tcpRate, tcpLimited       *prometheus.Desc
	tcpRetransmits, tcpUnsent, tcpUnacked                   *prometheus.Desc
}

func newLinkDescs() linkDescs {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("offload_link_"+name, help, append([]string{"target"}, labels...), nil)
	}
	return linkDescs{
		rtt:            desc("rtt_seconds", "Smoothed round trip without service time."),
		rttVar:         desc("rtt_variation_seconds", "Smoothed variation of the round trip (RFC 6298)."),
		minRTT:         desc("min_rtt_seconds", "Least round trip of the last minute."),
		jitter:         desc("jitter_seconds", "Variation of the round trip, by definition: stddev, mad, rfc3550, spread (p95 - p50).", "definition"),
		loss:           desc("loss_ratio", "Share of probes and payloads that did not get through."),
		age:            desc("figure_age_seconds", "Time since a figure was measured: rtt, loss, up, down.", "figure"),
		heard:          desc("heard_age_seconds", "Time since the target's last sign of life."),
		upRate:         desc("up_bytes_per_second", "Measured rate to the target."),
		upBySize:       desc("up_by_size_bytes_per_second", "Measured rate to the target by the payload's size: under_16KB, under_64KB, larger.", "size"),
		upAtLeast:      desc("up_at_least", "1 if the rate to the target may be higher: nothing large enough to show it was sent since."),
		downRate:       desc("down_bytes_per_second", "Measured rate from the target."),
		upQueue:        desc("up_queue_seconds", "Queueing delay on the way to the target."),
		stalled:        desc("stalled_seconds", "For how long what is under way is overdue; 0 while it is not."),
		predicted:      desc("predicted_seconds", "Predicted time to the answer of a payload, by its size and the probability that it is kept.", "size", "probability"),
		predictions:    desc("predictions_total", "Predictions that were compared with what happened."),
		held:           desc("prediction_held_ratio", "Share of answers within the time predicted with probability 0.95."),
		calibration:    desc("calibration_error_ratio", "Expected calibration error of the predicted probability to meet a deadline."),
		metered:        desc("metered", "1 for a link that is paid by the byte."),
		probes:         desc("probes_total", "Probes sent."),
		probesLost:     desc("probes_lost_total", "Probes that did not come back."),
		probeBytes:     desc("probe_bytes_total", "Bytes of probes, both ways."),
		reconnects:     desc("reconnects_total", "Connections made anew."),
		rejected:       desc("rejected_total", "Measurements that were not believed, by reason.", "reason"),
		tcpRTT:         desc("tcp_rtt_seconds", "The kernel's smoothed round trip of the connection; holds this box's own queue."),
		tcpRTTVar:      desc("tcp_rtt_variation_seconds", "The kernel's variation of the round trip."),
		tcpMinRTT:      desc("tcp_min_rtt_seconds", "The kernel's least round trip."),
		tcpRate:        desc("tcp_delivery_bytes_per_second", "The kernel's latest delivery rate."),
		tcpLimited:     desc("tcp_application_limited", "1 if the kernel's delivery rate is what was written and not what the link can carry."),
		tcpRetransmits: desc("tcp_retransmits_total", "Segments sent again; begins anew with each connection."),
		tcpUnsent:      desc("tcp_unsent_bytes", "Bytes that wait in the kernel."),
		tcpUnacked:     desc("tcp_unacked_bytes", "Bytes on their way, or lost."),
	}
}

// Describe sends nothing: which metrics there are depends on the configuration.
func (c *linkCollector) Describe(chan<- *prometheus.Desc) {}

// Collect is called by many goroutines at once.
func (c *linkCollector) Collect(out chan<- prometheus.Metric) {
	s, d := sink{out}, &c.descs
	for _, l := range c.links(false) {
		d.roundTrip(s, l)
		d.rates(s, l)
		d.prediction(s, l)
		d.probing(s, l)
		if l.TCP != nil {
			d.tcp(s, l.Target, *l.TCP)
		}
	}
}

func (d *linkDescs) roundTrip(s sink, l runner.LinkStatus) {
	if l.RTTAgeMs >= 0 {
		s.seconds(d.rtt, l.RTTMs, l.Target)
		s.seconds(d.rttVar, l.RTTVarMs, l.Target)
		s.seconds(d.minRTT, l.MinRTTMs, l.Target)
		s.seconds(d.jitter, l.JitterMs.StdDev, l.Target, "stddev")
		s.seconds(d.jitter, l.JitterMs.MAD, l.Target, "mad")
		s.seconds(d.jitter, l.JitterMs.RFC3550, l.Target, "rfc3550")
		s.seconds(d.jitter, l.JitterMs.Spread, l.Target, "spread")
		s.seconds(d.age, l.RTTAgeMs, l.Target, "rtt")
	}
	if l.LossAgeMs >= 0 {
		s.gauge(d.loss, l.Loss, l.Target)
		s.seconds(d.age, l.LossAgeMs, l.Target, "loss")
	}
	if l.HeardAgoMs >= 0 {
		s.seconds(d.heard, l.HeardAgoMs, l.Target)
	}
}

func (d *linkDescs) rates(s sink, l runner.LinkStatus) {
	if l.UpAgeMs >= 0 {
		s.rate(d.upRate, l.UpKbps, l.Target)
		s.gauge(d.upAtLeast, one(l.UpAtLeast), l.Target)
		s.seconds(d.age, l.UpAgeMs, l.Target, "up")
	}
	for i, size := range [...]string{"under_16KB", "under_64KB", "larger"} {
		if l.UpKbpsBySize[i] > 0 {
			s.rate(d.upBySize, l.UpKbpsBySize[i], l.Target, size)
		}
	}
	if l.DownAgeMs >= 0 {
		s.rate(d.downRate, l.DownKbps, l.Target)
		s.seconds(d.age, l.DownAgeMs, l.Target, "down")
	}
	s.seconds(d.upQueue, l.QueueUpMs, l.Target)
	s.seconds(d.stalled, l.StalledForMs, l.Target)
}

func (d *linkDescs) prediction(s sink, l runner.LinkStatus) {
	for _, p := range []struct {
		size, probability string
		ms                float64
	}{
		{"2KB", "0.5", l.P50Ms2KB},
		{"2KB", "0.95", l.P95Ms2KB},
		{"60KB", "0.5", l.P50Ms60KB},
		{"60KB", "0.95", l.P95Ms60KB},
	} {
		if l.RTTAgeMs >= 0 { // before, it is a guess
			s.seconds(d.predicted, p.ms, l.Target, p.size, p.probability)
		}
	}
	if l.Predictions > 0 {
		s.counter(d.predictions, l.Predictions, l.Target)
		s.gauge(d.held, l.Held95, l.Target)
		s.gauge(d.calibration, l.CalibrationE, l.Target)
	}
}

func (d *linkDescs) probing(s sink, l runner.LinkStatus) {
	s.gauge(d.metered, one(l.Metered), l.Target)
	s.counter(d.probes, l.Probes, l.Target)
	s.counter(d.probesLost, l.ProbesLost, l.Target)
	s.counter(d.probeBytes, l.ProbeBytes, l.Target)
	s.counter(d.reconnects, l.Reconnects, l.Target)
	for reason, n := range l.Rejected {
		s.counter(d.rejected, n, l.Target, reason)
	}
}

func (d *linkDescs) tcp(s sink, target string, t runner.TCPStatus) {
	s.seconds(d.tcpRTT, t.RTTMs, target)
	s.seconds(d.tcpRTTVar, t.RTTVarMs, target)
	s.seconds(d.tcpMinRTT, t.MinRTTMs, target)
	s.rate(d.tcpRate, t.DeliveryKbps, target)
	s.gauge(d.tcpLimited, one(t.ApplicationLimited), target)
	s.counter(d.tcpRetransmits, t.Retransmits, target)
	s.gauge(d.tcpUnsent, float64(t.UnsentBytes), target)
	s.gauge(d.tcpUnacked, float64(t.UnackedBytes), target)
}

// seconds takes milliseconds.
func (s sink) seconds(desc *prometheus.Desc, ms float64, labels ...string) {
	s.gauge(desc, ms/1000, labels...)
}

// rate takes kbit/s.
func (s sink) rate(desc *prometheus.Desc, kbps float64, labels ...string) {
	s.gauge(desc, kbps*1000/8, labels...)
}
