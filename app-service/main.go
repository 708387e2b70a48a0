// SPDX-License-Identifier: Apache-2.0

// Command app-service is an EdgeX application service that runs the AI tasks of a site
// where it pays at that moment: on the box, on a neighbour or in the cloud. It takes
// events of cameras and sensors from the bus, and publishes each task's outcome as an
// event of the same device.
package main

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/edgexfoundry/app-functions-sdk-go/v3/pkg"
	"github.com/edgexfoundry/app-functions-sdk-go/v3/pkg/interfaces"

	"edgex-offload/app-service/config"
	"edgex-offload/app-service/functions"
	"edgex-offload/app-service/routes"
)

const serviceKey = "app-offload"

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	// Raw bytes: DecodeEvent reads the events itself, within its limits.
	service, ok := pkg.NewAppServiceWithTargetType(serviceKey, &[]byte{})
	if !ok {
		return 1 // the SDK has logged why
	}
	if err := serve(service, args); err != nil {
		service.LoggingClient().Errorf("App Service %s: %s", serviceKey, err.Error())
		return 1
	}
	return 0
}

// serve runs until the service is told to stop. What it started has ended when it returns.
func serve(service interfaces.ApplicationService, args []string) (err error) {
	section, plan, err := load(service, args)
	if err != nil {
		return err
	}
	box, err := newBox(plan, service.LoggingClient())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, box.close()) }()

	line, err := newLine(plan, box)
	if err != nil {
		return err
	}
	if err := line.connect(service, section); err != nil {
		return err
	}

	ctx, stop := context.WithCancel(service.AppContext())
	ended := make(chan error, 1)
	go func() { ended <- box.run(ctx) }()
	returned, watched := make(chan struct{}), make(chan struct{})
	go func() { defer close(watched); endEarly(service.AppContext(), returned) }()
	err = service.Run()
	close(returned)
	<-watched
	stop()
	return errors.Join(err, <-ended)
}

// endEarly sees to a SIGTERM that comes while the SDK still starts. Its bootstrap takes
// that one and cancels the context, but Run listens only later and would wait for another
// for ever: it gets one.
func endEarly(ctx context.Context, returned <-chan struct{}) {
	select {
	case <-returned:
		return
	case <-ctx.Done():
	}
	const patience = time.Second // an orderly end takes less
	for {
		select {
		case <-returned:
			return
		case <-time.After(patience):
			if self, err := os.FindProcess(os.Getpid()); err == nil {
				_ = self.Signal(syscall.SIGTERM)
			}
		}
	}
}

// load reads the custom section and checks it as a whole.
func load(service interfaces.ApplicationService, args []string) (*config.Service, config.Plan, error) {
	section := config.NewService()
	if err := service.LoadCustomConfig(section, config.Section); err != nil {
		return nil, config.Plan{}, err
	}
	if err := config.CompleteFromFiles(section, args, service.SecretProvider(), service.LoggingClient()); err != nil {
		return nil, config.Plan{}, err
	}
	for _, told := range section.Offload.Replaced(os.LookupEnv) {
		service.LoggingClient().Warn(told)
	}
	for _, told := range section.Offload.Cautions() {
		service.LoggingClient().Warn(told)
	}
	plan, err := section.Offload.Plan()
	return section, plan, err
}

// line is what a message goes through, and what is shown of it.
type line struct {
	box       *box
	decoder   *functions.Decoder
	publisher *functions.Publisher
	changes   routes.ConfigurationLog
}

func newLine(plan config.Plan, b *box) (*line, error) {
	decoder, err := functions.NewDecoder(plan.Live.Rules, plan.Limits, time.Now)
	if err != nil {
		return nil, err
	}
	return &line{box: b, decoder: decoder, publisher: functions.NewPublisher(serviceKey, plan.Live.PublishWithoutResult)}, nil
}

func (l *line) connect(service interfaces.ApplicationService, section *config.Service) error {
	run := l.box.runner
	metrics := routes.NewMetrics(l.view, run.Links, run.Policies)
	if err := service.SetDefaultFunctionsPipeline(
		l.decoder.DecodeEvent,
		functions.Offload(service.AppContext(), run, l.box.cascades, metrics.Observe),
		l.publisher.PublishOutcome,
	); err != nil {
		return err
	}
	if err := routes.Add(service, routes.Handlers{
		routes.PathStatus:      routes.Status(l.view),
		routes.PathDecisions:   routes.Decisions(run.Decisions),
		routes.PathDecision:    routes.Decision(run, l.box.cascades),
		routes.PathPolicies:    routes.Policies(run.Policies),
		routes.PathLink:        routes.Link(run),
		routes.PathLinkSamples: routes.LinkSamples(run),
		routes.PathMetrics:     metrics.Handler(),
	}); err != nil {
		return err
	}
	if err := routes.AddModels(service, l.box.models); err != nil {
		return err
	}
	gauges := telemetry{service.MetricsManager(), service.LoggingClient()}
	gauges.tasks(run.Status)
	gauges.policies(run.Policies)
	gauges.links(l.box.targets, &linkView{read: run.Links, now: time.Now})
	return service.ListenForCustomConfigChanges(&config.Watched{}, config.WritableSection, func(raw any) {
		l.take(raw, section, service.LoggingClient())
	})
}

func (l *line) view() routes.View {
	return routes.View{
		Status:        l.box.runner.Status(),
		Machine:       l.box.supply.State(),
		Models:        l.box.models.Models(),
		ModelCounts:   l.box.models.Counts(),
		ModelsProblem: l.box.problem(),
		Cascades:      l.box.cascades.Status(l.decoder.Rules().Cascades()),
		PassedOver:    l.decoder.Passed(),
		Events:        l.publisher.Counts(),
		Configuration: l.changes.Status(),
	}
}
