// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"

	"github.com/edgexfoundry/go-mod-core-contracts/v3/clients/logger"

	"edgex-offload/app-service/config"
)

// take makes a changed Writable section the one that holds, all of it, or refuses it and
// keeps the old one. The SDK calls it from one goroutine.
func (l *line) take(raw any, section *config.Service, lc logger.LoggingClient) {
	err := l.change(raw, section)
	l.changes.Add(err)
	if err != nil {
		lc.Errorf("Configuration change refused, the old one stays: %s", err.Error())
		return
	}
	lc.Infof("Configuration change of %s taken over", config.WritableSection)
	for _, told := range section.Offload.Cautions() {
		lc.Warn(told)
	}
}

func (l *line) change(raw any, section *config.Service) error {
	watched, ok := raw.(*config.Watched)
	if !ok {
		return fmt.Errorf("%s came as %T: allowed is %T", config.WritableSection, raw, watched)
	}
	changed, unread := watched.Writable()
	live, err := changed.Live()
	if err := errors.Join(unread, err); err != nil { // all that is wrong, told at once
		return err
	}
	if err := l.box.runner.Configure(live.Engine); err != nil { // the only step that can fail comes first
		return err
	}
	l.box.cascades.Look() // a new rule may ask for a file that has just been put there
	l.decoder.SetRules(live.Rules)
	l.publisher.PublishWithoutResult(live.PublishWithoutResult)
	section.SetWritable(changed)
	return nil
}
