// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"edgex-offload/infer"
)

func modelSignCommand() *cobra.Command {
	var key string
	cmd := &cobra.Command{
		Use:   "sign FOLDER --key FILE",
		Short: "Write a version's sums and its signature, for services that ask for one",
		Long: `sign writes the SHA-256 of every file of FOLDER, which is <name>/<version>, into its model.yaml, and
the Ed25519 signature over model.yaml into model.yaml.sig. What else model.yaml says stays as it
is. A service with Models.PublicKey loads the model only while all of it is as it was signed.`,
		Example: `  openssl genpkey -algorithm ed25519 -out key.pem       # keep this one to yourself
  openssl pkey -in key.pem -pubout -out public.pem      # the services' Models.PublicKey
  offload model sign ./models/surface-small/2 --key key.pem`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return signModel(cmd.OutOrStdout(), args[0], key) },
	}
	cmd.Flags().StringVar(&key, "key", "", "PEM `file` of an Ed25519 private key")
	_ = cmd.MarkFlagRequired("key") // the flag is there
	return cmd
}

func signModel(out io.Writer, dir, keyFile string) error {
	key, err := infer.ReadPrivateKey(keyFile)
	if err != nil {
		return fmt.Errorf("key: %w", err)
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return err
	}
	spec, err := infer.Sign(dir, key)
	if err != nil {
		return err
	}
	line(out, "signed", "%s: %s and %d more files", filepath.Join(dir, infer.SpecFile), infer.GraphFile, len(spec.Files))
	return nil
}
