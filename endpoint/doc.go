// SPDX-License-Identifier: Apache-2.0

// Package endpoint is what the ends of a gRPC connection are configured with: an address
// and the files of TLS. It knows nothing of what is said over the connection.
//
// Invariants:
//   - an error names the key, its value and what is allowed;
//   - a certificate that was renewed is taken over at the next handshake.
//
// Its values are safe for concurrent use.
package endpoint
