// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"slices"

	bootstrap "github.com/edgexfoundry/go-mod-bootstrap/v3/bootstrap/config"
	"github.com/edgexfoundry/go-mod-bootstrap/v3/bootstrap/environment"
	"github.com/edgexfoundry/go-mod-bootstrap/v3/bootstrap/file"
	"github.com/edgexfoundry/go-mod-bootstrap/v3/bootstrap/flags"
	"github.com/edgexfoundry/go-mod-bootstrap/v3/bootstrap/interfaces"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/clients/logger"
)

// CompleteFromFiles does what the SDK leaves out for custom sections when the service
// runs without a configuration provider: it refuses keys of the file that nobody reads,
// and applies environment variables to s, as in OFFLOAD_WRITABLE_POLICY=local or
// OFFLOAD_TARGETS_CLOUD_ADDRESS=cloud:50051.
//
// With a provider it does nothing: the SDK applies the environment when it first pushes
// the section, and the provider's values win from then on. args are the command line
// without the program.
func CompleteFromFiles(s *Service, args []string, secrets interfaces.SecretProvider, lc logger.LoggingClient) error {
	variables, line := environment.NewVariables(lc), commandLine(args)
	provider, err := bootstrap.NewProviderInfo(variables, line.ConfigProviderUrl())
	if err != nil {
		return fmt.Errorf("configuration provider: %w", err)
	}
	if provider.UseProvider() {
		return nil
	}
	text, err := file.Load(bootstrap.GetConfigFileLocation(lc, line), secrets, lc)
	if err != nil {
		return fmt.Errorf("configuration file: %w", err)
	}
	if err := unknownKeys(text); err != nil {
		return err
	}
	if _, err := variables.OverrideConfiguration(s); err != nil {
		return fmt.Errorf("section %s: %w", Section, err)
	}
	return nil
}

// commandLine reads the flags once more: the SDK keeps what it read to itself.
func commandLine(args []string) *flags.Default {
	line := flags.New()
	for _, name := range []string{"s", "skipVersionCheck"} {
		line.FlagSet.Bool(name, false, "")
	}
	for _, name := range []string{"sk", "serviceKey"} {
		line.FlagSet.String(name, "", "")
	}
	line.Parse(slices.Clone(args)) // it changes what it is given
	return line
}
