// SPDX-License-Identifier: Apache-2.0

// Package config is the custom configuration section Offload of app-service: as it is
// written (Offload, with durations as text, as EdgeX has them), and as the service takes
// it (Plan, with Live for the part that may change while it runs).
//
// Invariants:
//   - a section is taken as a whole or not at all; the error names every key that is
//     wrong, its value and what is allowed;
//   - a key that is left out has its default;
//   - there are maps and no lists: EdgeX does not notify a changed list.
//
// Values of this package are not safe for concurrent change; Service is, see there.
package config
