// SPDX-License-Identifier: Apache-2.0

// Package functions holds the pipeline functions that turn EdgeX events into
// offload tasks and their outcomes back into EdgeX events. Each is usable in any
// application service:
//
//	decoder, err := functions.NewDecoder(rules, functions.DefaultLimits(), time.Now)
//	publisher := functions.NewPublisher("app-mine", false)
//	service.SetDefaultFunctionsPipeline(
//		decoder.DecodeEvent,                       // event or raw bytes to []Job
//		functions.Offload(service.AppContext(), engine, nil), // []Job to []Result
//		publisher.PublishOutcome,                  // []Result onto the bus, and passed on
//	)
//
// Invariants:
//   - a reading becomes one Job or adds one to a counter with a reason;
//   - a Job becomes one Result;
//   - the ground truth of a demonstration source travels in Task.Truth alone, never in
//     Task.Context;
//   - an outcome event never becomes a task again.
//
// All functions may be called by many goroutines at once, as the EdgeX trigger does:
// it starts one for each message and knows no back-pressure. What bounds the memory
// is the gate in DecodeEvent, the engine behind Offload, where a newer task of a source
// supersedes the older one, and the gate in PublishOutcome.
package functions
