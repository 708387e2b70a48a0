// SPDX-License-Identifier: Apache-2.0

package machine

import "testing"

func BenchmarkNext(b *testing.B) {
	m := New(1)
	for b.Loop() {
		m.Next()
	}
}
