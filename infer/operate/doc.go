// SPDX-License-Identifier: Apache-2.0

// Package operate lets an operator look at models and change them over HTTP:
//
//	GET  /models                         all versions of all models
//	GET  /models/NAME                    those of one
//	POST /models/NAME/load[?version=N]   load the highest version, or one, at once
//	POST /models/NAME/unload             free it, until it is loaded again or its files change
//	POST /models/NAME/rollback           take a trial back, or go to the version before
//	POST /models/rescan                  look at the folder now
//
// An answer is JSON with apiVersion, statusCode, message and models. 200 is done; 202 goes on;
// 404 no such model; 409 it cannot be done, with the reason, and nothing has changed; 429 too
// much waits. No body is read. Whether the caller may do so is for the service to check.
//
// The handler is safe for concurrent use.
package operate
