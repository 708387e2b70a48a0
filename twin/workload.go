// SPDX-License-Identifier: Apache-2.0

package twin

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"edgex-offload/offload"
)

// Class is a box and what it has to do.
type Class struct {
	Name string
	// Service is the box's time for a frame; a sensor window takes sensorShare of it.
	Service time.Duration
	Cameras int
	FPS     float64
	// Windows are sensor windows a second; Burst frames come at once every 15 s.
	Windows float64
	Burst   int
	// JPEG is the median size of a frame in bytes, Deadline a frame's time.
	JPEG     float64
	Deadline time.Duration
	Watts    float64
}

// Classes are the boxes of the benchmark.
func Classes() []Class {
	const ms = time.Millisecond
	return []Class{
		{"nano", 60 * ms, 1, 10, 6, 6, 60e3, 100 * ms, 7},
		{"xavier", 22 * ms, 2, 15, 10, 8, 60e3, 100 * ms, 12},
		{"orin", 8 * ms, 3, 30, 20, 12, 40e3, 50 * ms, 15},
		{"xavier-overloaded", 22 * ms, 3, 15, 10, 8, 60e3, 100 * ms, 12},
	}
}

// What the benchmark sets for all classes.
const (
	sensorShare    = .3
	tinyShare      = .4
	cloudService   = 15 * time.Millisecond
	cloudSensor    = 7500 * time.Microsecond
	accuracyCloud  = .90
	accuracyLocal  = .80
	accuracyTiny   = .65
	radioWatts     = 2.5
	burstEvery     = 15 * time.Second
	burstSpacing   = 100 * time.Microsecond
	episodeEvery   = 60 * time.Second
	throttleFactor = 1.6
	overloadFactor = 5
)

// job is a task with all that chance decides about it.
type job struct {
	at       time.Duration
	sensor   bool
	bytes    int
	priority offload.Priority
	allowed  time.Duration
	// local is the box's time for it before throttling, cloud the cloud's before overload.
	local, cloud time.Duration
}

// weight is what an on-time result is worth.
func (j *job) weight() float64 { return [offload.Priorities]float64{1, 2, 4, 8}[j.priority] }

// model is what answers it.
func (j *job) model() string {
	if j.sensor {
		return "window"
	}
	return "frame"
}

// episode is a while in which a box throttles or a cloud is overloaded.
type episode struct{ from, to time.Duration }

func within(episodes []episode, at time.Duration) bool {
	return slices.ContainsFunc(episodes, func(e episode) bool { return e.from <= at && at < e.to })
}

// workload is everything that a run meets beside the link.
type workload struct {
	jobs                 []job
	throttling, overload []episode
}

// service is how long the cloud takes for a job that reaches it at a time.
func (w *workload) service(j *job, arrived time.Duration) time.Duration {
	if within(w.overload, arrived) {
		return j.cloud * overloadFactor
	}
	return j.cloud
}

// newWorkload draws a workload of a length. The same seed gives the same one.
func newWorkload(c Class, length time.Duration, seed uint64) workload {
	d := newDraw(seed)
	var w workload
	w.throttling, w.overload = d.episodes(length), d.episodes(length)
	for camera := range c.Cameras {
		w.jobs = append(w.jobs, d.camera(c, camera, length)...)
	}
	w.jobs = append(w.jobs, d.windows(c, length)...)
	w.jobs = append(w.jobs, d.bursts(c, length)...)
	slices.SortStableFunc(w.jobs, func(a, b job) int { return int(a.at - b.at) })
	return w
}

// draw is the source of all chance.
type draw struct{ *rand.Rand }

func newDraw(seed uint64) draw { return draw{rand.New(rand.NewPCG(seed, 0x0ff10ad))} }

func (d draw) lognormal(median, sigma float64) float64 {
	return median * math.Exp(sigma*d.NormFloat64())
}

func (d draw) exponential(mean time.Duration) time.Duration {
	return time.Duration(d.ExpFloat64() * float64(mean))
}

func (d draw) episodes(length time.Duration) []episode {
	var all []episode
	for at := d.exponential(episodeEvery); at < length; at += d.exponential(episodeEvery) {
		all = append(all, episode{at, at + time.Second + d.exponential(2*time.Second)})
	}
	return all
}

func (d draw) camera(c Class, camera int, length time.Duration) []job {
	var jobs []job
	period := time.Duration(float64(time.Second) / c.FPS)
	median := d.lognormal(c.JPEG, .2)
	jitter := 2 * time.Millisecond
	for at := time.Duration(d.Float64() * float64(period)); at < length; at += period {
		jobs = append(jobs, d.services(c, job{
			at:       at + time.Duration(d.Float64()*float64(jitter)),
			bytes:    d.frameBytes(median),
			priority: [...]offload.Priority{offload.High, offload.Medium, offload.Low}[camera%3],
			allowed:  c.Deadline,
		}))
	}
	return jobs
}

func (d draw) windows(c Class, length time.Duration) []job {
	kinds := []struct {
		allowed  time.Duration
		priority offload.Priority
	}{
		{50 * time.Millisecond, offload.Critical},
		{100 * time.Millisecond, offload.High},
		{200 * time.Millisecond, offload.Low},
		{200 * time.Millisecond, offload.Medium},
	}
	var jobs []job
	mean := time.Duration(float64(time.Second) / c.Windows)
	for at := d.exponential(mean); at < length; at += d.exponential(mean) {
		kind := kinds[d.IntN(len(kinds))]
		jobs = append(jobs, d.services(c, job{
			at: at, sensor: true, bytes: d.windowBytes(), priority: kind.priority, allowed: kind.allowed,
		}))
	}
	return jobs
}

func (d draw) bursts(c Class, length time.Duration) []job {
	var jobs []job
	for at := d.exponential(burstEvery); at < length; at += d.exponential(burstEvery) {
		for i := range c.Burst {
			jobs = append(jobs, d.services(c, job{
				at:       at + time.Duration(i)*burstSpacing,
				bytes:    d.frameBytes(c.JPEG),
				priority: offload.Critical, allowed: 200 * time.Millisecond,
			}))
		}
	}
	return jobs
}

// frameBytes is the size of a JPEG around a median.
func (d draw) frameBytes(median float64) int {
	return int(min(max(d.lognormal(median, .35), 20e3), 500e3))
}

func (d draw) windowBytes() int { return 1000 + d.IntN(9001) }

// services draws how long the job takes in each place.
func (d draw) services(c Class, j job) job {
	local := float64(c.Service)
	if j.sensor {
		local *= sensorShare
	}
	local = d.lognormal(local, .10)
	if d.Float64() < .005 {
		local *= 2.5
	}
	j.local, j.cloud = time.Duration(local), d.cloudTime(j.sensor)
	return j
}

// cloudTime draws the cloud's time for a task before overload.
func (d draw) cloudTime(sensor bool) time.Duration {
	mean := cloudService
	if sensor {
		mean = cloudSensor
	}
	took := time.Duration(d.lognormal(float64(mean), .25))
	if d.Float64() < .01 {
		took += 40*time.Millisecond + d.exponential(60*time.Millisecond)
	}
	return took
}

// models is what the engine is told of the class's models.
func (c Class) models() []offload.Model {
	of := func(name string, service, cloud time.Duration) offload.Model {
		return offload.Model{
			Name: name,
			Local: []offload.Variant{
				{Name: name, Accuracy: accuracyLocal, Service: service},
				{Name: name + tiny, Accuracy: accuracyTiny, Service: share(service, tinyShare)},
			},
			Remote: offload.RemoteModel{Accuracy: accuracyCloud, Service: cloud},
		}
	}
	return []offload.Model{
		of("frame", c.Service, cloudService),
		of("window", share(c.Service, sensorShare), cloudSensor),
	}
}

const tiny = "-tiny"

func share(d time.Duration, s float64) time.Duration { return time.Duration(float64(d) * s) }

// ClassByName finds a class of the benchmark; the error lists them.
func ClassByName(name string) (Class, error) {
	var names []string
	for _, c := range Classes() {
		if c.Name == name {
			return c, nil
		}
		names = append(names, c.Name)
	}
	return Class{}, fmt.Errorf("class %q: allowed are %v", name, names)
}
