// SPDX-License-Identifier: Apache-2.0

package tun

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// devices are the names of those in a namespace, by their index.
func devices(t testing.TB, namespace *os.File) (names []string) {
	t.Helper()
	handle, err := netlink.NewHandleAt(netns.NsHandle(namespace.Fd()))
	require.NoError(t, err)
	defer handle.Close()
	all, err := handle.LinkList()
	require.NoError(t, err)
	for _, device := range all {
		names = append(names, device.Attrs().Name)
	}
	return names
}

// namespaceOfProcess starts a process in a namespace that says where it is.
func namespaceOfProcess(t testing.TB, n *Namespace) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "readlink", "/proc/self/ns/net")
	var out strings.Builder
	command.Stdout = &out
	require.NoError(t, n.Do(command.Start))
	require.NoError(t, command.Wait())
	return strings.TrimSpace(out.String())
}

func congestionOf(t testing.TB, conn net.Conn) string {
	t.Helper()
	raw, err := conn.(syscall.Conn).SyscallConn()
	require.NoError(t, err)
	var name string
	require.NoError(t, raw.Control(func(fd uintptr) {
		name, err = unix.GetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION)
	}))
	require.NoError(t, err)
	return strings.TrimRight(name, "\x00")
}
