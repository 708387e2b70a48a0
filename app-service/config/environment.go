// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"slices"

	bootstrap "github.com/edgexfoundry/go-mod-bootstrap/v3/bootstrap/config"
	"github.com/edgexfoundry/go-mod-bootstrap/v3/bootstrap/environment"
	"github.com/edgexfoundry/go-mod-bootstrap/v3/bootstrap/flags"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/clients/logger"
)

// OverrideFromEnvironment applies environment variables to s, as in
// OFFLOAD_WRITABLE_POLICY=local or OFFLOAD_TARGETS_CLOUD_ADDRESS=cloud:50051, when the
// service runs without a configuration provider: there the SDK itself leaves custom
// sections out. With a provider, it applies them when it first pushes the section, and
// the provider's values win from then on. args are the command line without the program.
func OverrideFromEnvironment(s *Service, args []string, lc logger.LoggingClient) error {
	variables := environment.NewVariables(lc)
	provider, err := usesProvider(variables, args)
	if err != nil || provider {
		return err
	}
	if _, err := variables.OverrideConfiguration(s); err != nil {
		return fmt.Errorf("section %s: %w", Section, err)
	}
	return nil
}

// usesProvider finds out what the SDK found out and tells nobody.
func usesProvider(variables *environment.Variables, args []string) (bool, error) {
	line := flags.New()
	for _, name := range []string{"s", "skipVersionCheck"} {
		line.FlagSet.Bool(name, false, "")
	}
	for _, name := range []string{"sk", "serviceKey"} {
		line.FlagSet.String(name, "", "")
	}
	line.Parse(slices.Clone(args)) // it changes what it is given
	info, err := bootstrap.NewProviderInfo(variables, line.ConfigProviderUrl())
	if err != nil {
		return false, fmt.Errorf("configuration provider: %w", err)
	}
	return info.UseProvider(), nil
}
