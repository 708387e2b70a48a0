// SPDX-License-Identifier: Apache-2.0

// Package kubernetes holds the manifests for Kubernetes and the tests that keep them in
// line with the services' configuration.
package kubernetes
