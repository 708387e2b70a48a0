// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/offload/link"
)

func TestSocketIsTold(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("TCP_INFO is Linux's")
	}
	secret, trusting := secured(t)
	for name, c := range map[string]struct {
		server ServerConfig
		client ClientConfig
	}{
		"plain": {},
		"TLS":   {ServerConfig{TLS: secret}, ClientConfig{TLS: trusting}},
	} {
		t.Run(name, func(t *testing.T) {
			_, address := serve(t, c.server)
			c.client.Address = address
			client := dialed(t, c.client)
			_, err := client.Probe(soon(t))
			require.NoError(t, err)
			one := task("t")
			one.Payload = make([]byte, 100_000)
			reply, err := client.Offload(soon(t), one, nil)
			require.NoError(t, err)
			probe, err := client.Probe(soon(t))
			require.NoError(t, err)
			for name, s := range map[string]link.Socket{"reply": reply.Socket, "probe": probe.Socket} {
				assert.Positive(t, s.RTT, name)
				assert.Positive(t, s.MinRTT, name)
				assert.GreaterOrEqual(t, s.SegmentsOut, uint64(3), name)
				assert.EqualValues(t, 1, s.Connection, name)
				assert.Zero(t, s.Unsent, name)
			}
			require.Eventually(t, func() bool { return client.Socket().Unacked == 0 }, 20*time.Second, time.Millisecond, "all is acknowledged in the end")
			assert.EqualValues(t, 1, client.Connections())
			assert.Positive(t, client.Socket().DeliveryRate)
			assert.Zero(t, testing.AllocsPerRun(100, func() { client.Socket() }))
			require.NoError(t, client.Close())
			assert.False(t, client.Socket().Known(), "of a closed connection nothing is known")
		})
	}
}

func BenchmarkSocket(b *testing.B) {
	_, address := serve(b, ServerConfig{})
	client := dialed(b, ClientConfig{Address: address})
	b.ReportAllocs()
	for b.Loop() {
		client.Socket()
	}
}
