// SPDX-License-Identifier: Apache-2.0

// Package appmodels makes the models of an app-service a device: what its commands ask goes
// to the app-service's routes below /api/v3/offload/models, and its sample is the list of
// models, read now and then, so that EdgeX sees when the app-service is away.
//
// No token is sent: in an EdgeX with security the app-service refuses these requests, and its
// routes are used through the gateway instead.
//
// A Client is safe for concurrent use. Each request is bounded in time and size, and follows
// no redirect.
package appmodels
