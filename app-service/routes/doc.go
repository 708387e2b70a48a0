// SPDX-License-Identifier: Apache-2.0

// Package routes is what app-service shows over HTTP, beside EdgeX's own routes:
//
//	GET /api/v3/offload/status                       how everything stands
//	GET /api/v3/offload/decisions?limit=N&after=SEQ  the decision records
//	GET /api/v3/offload/link?target=T&step=S         each link, now and in the last ten minutes
//	GET /api/v3/offload/link/samples?target=T        its single measurements, for a recording
//	GET /api/v3/offload/metrics                      the same in numbers, for Prometheus
//	GET, POST /api/v3/offload/models...              the models: package operate
//
// Errors are answered as EdgeX answers them: apiVersion, statusCode, message. All are
// safe for concurrent use; what they show is taken when they are asked.
package routes
