// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"time"
)

// Operation is the part of a model.yaml that says how the model is kept at work. None of
// it changes an answer.
type Operation struct {
	// Size among the models of a task: tiny, small, medium, large; may be left out.
	Size string `yaml:"size"`
	// Precision of the weights: fp32, fp16, int8; may be left out.
	Precision string `yaml:"precision"`
	Cost      Cost   `yaml:"cost"`
	// Concurrency is how many tasks the model runs at once; 0 leaves it to the repository, or
	// is two batches where tasks run in batches.
	Concurrency int `yaml:"concurrency"`
	// Canary overrides the repository's for the roll-out of this version.
	Canary CanarySpec `yaml:"canary"`
	// Files lists what else belongs to the model, as weights or a vocabulary.
	Files []File `yaml:"files"`
}

// Cost is what one answer takes, as somebody measured it. It is shown, and expected until
// this process has measured for itself.
type Cost struct {
	ServiceMs float64 `yaml:"service_ms" json:"serviceMs,omitempty"`
	Joules    float64 `yaml:"joules" json:"joules,omitempty"`
	MemoryMB  float64 `yaml:"memory_mb" json:"memoryMb,omitempty"`
	// Measured says on what, as "Jetson Orin Nano, 15 W, TensorRT".
	Measured string `yaml:"measured" json:"measured,omitempty"`
}

// CanarySpec has what differs from the repository's Canary.
type CanarySpec struct {
	// Share of the tasks; 0 takes over at once. NaN is not given.
	Share float64 `yaml:"share"`
	// Tasks that the verdict takes; 0 is not given.
	Tasks int `yaml:"tasks"`
}

// File is one that belongs to a model beside model.onnx.
type File struct {
	Name   string `yaml:"name"`
	SHA256 string `yaml:"sha256"`
}

// maxFiles bounds the files of one version.
const maxFiles = 64

func defaultOperation() Operation { return Operation{Canary: CanarySpec{Share: math.NaN()}} }

func (o Operation) validate(c *checker) {
	if o.Size != "" {
		c.oneOf("size", o.Size, "tiny", "small", "medium", "large")
	}
	if o.Precision != "" {
		c.oneOf("precision", o.Precision, "fp32", "fp16", "int8")
	}
	c.figure("cost.service_ms", o.Cost.ServiceMs)
	c.figure("cost.joules", o.Cost.Joules)
	c.figure("cost.memory_mb", o.Cost.MemoryMB)
	c.check(len(o.Cost.Measured) <= 200, "cost.measured", quoted(o.Cost.Measured), "up to 200 bytes of text")
	c.check(o.Concurrency >= 0 && o.Concurrency <= 1024, "concurrency", o.Concurrency, "1 to 1024, or 0 for the repository's")
	if share := o.Canary.Share; !math.IsNaN(share) {
		c.check(share >= 0 && share <= mostShare, "canary.share", share, fmt.Sprintf("0 to %g", mostShare))
	}
	tasks := o.Canary.Tasks
	c.check(tasks == 0 || (tasks >= fewestTasks && tasks <= mostTasks), "canary.tasks", tasks, fmt.Sprintf("%d to %d", fewestTasks, mostTasks))
	o.validateFiles(c)
}

func (o Operation) validateFiles(c *checker) {
	c.check(len(o.Files) <= maxFiles, "files", fmt.Sprintf("%d long", len(o.Files)), fmt.Sprintf("up to %d files", maxFiles))
	for i, f := range o.Files {
		c.check(isBeside(f.Name) && f.Name != SpecFile && f.Name != GraphFile, fmt.Sprintf("files[%d].name", i), quoted(f.Name), "a file's name in the same folder, other than "+SpecFile+" and "+GraphFile)
		sum, err := hex.DecodeString(f.SHA256)
		c.check(err == nil && len(sum) == 32, fmt.Sprintf("files[%d].sha256", i), quoted(f.SHA256), "64 hex digits")
	}
}

// over is the canary of a roll-out: the repository's, with what the version says itself.
func (s CanarySpec) over(c Canary) Canary {
	if !math.IsNaN(s.Share) {
		c.Share = s.Share
	}
	if s.Tasks > 0 {
		c.Tasks = s.Tasks
	}
	return c
}

// Canary says how a new version takes over: a share of the tasks first, and all of them
// when its errors and its times are no worse than those of the version before.
type Canary struct {
	// Share of the tasks that the new version answers on trial, up to 0.5; 0 has it take
	// over at once. Raising it comes to a verdict sooner, and risks more tasks' time.
	Share float64
	// Tasks that it answers until the verdict, 16 to 100000; the default is 200. More of
	// them see a smaller difference.
	Tasks int
	// MaxErrorIncrease is how much larger its share of failed tasks may be; the default is 0.01.
	MaxErrorIncrease float64
	// LatencyRatio is how many times as long its median and its 95th percentile may be; the
	// default is 1.5.
	LatencyRatio float64
	// Longest trial: then what was seen by then decides. The default is 24 h.
	Longest time.Duration
}

// Bounds of a Canary.
const (
	mostShare   = .5
	fewestTasks = 16
	mostTasks   = 100_000
)

// DefaultCanary is off; the rest is what holds once Share is set.
func DefaultCanary() Canary {
	return Canary{Tasks: 200, MaxErrorIncrease: .01, LatencyRatio: 1.5, Longest: 24 * time.Hour}
}

// Validate names each field that is wrong, its value and what is allowed.
func (c Canary) Validate() error {
	var errs []error
	bad := func(ok bool, key string, value any, allowed string) {
		if !ok {
			errs = append(errs, fmt.Errorf("%s %v: allowed is %s", key, value, allowed))
		}
	}
	bad(c.Share >= 0 && c.Share <= mostShare, "Share", c.Share, fmt.Sprintf("0 (at once) to %g", mostShare))
	bad(c.Tasks >= fewestTasks && c.Tasks <= mostTasks, "Tasks", c.Tasks, fmt.Sprintf("%d to %d", fewestTasks, mostTasks))
	bad(c.MaxErrorIncrease >= 0 && c.MaxErrorIncrease <= 1, "MaxErrorIncrease", c.MaxErrorIncrease, "0 to 1")
	bad(c.LatencyRatio >= 1 && c.LatencyRatio <= 100, "LatencyRatio", c.LatencyRatio, "1 to 100")
	bad(c.Longest >= time.Minute && c.Longest <= 30*24*time.Hour, "Longest", c.Longest, "1m to 720h")
	return errors.Join(errs...)
}
