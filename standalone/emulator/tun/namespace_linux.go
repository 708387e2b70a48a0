// SPDX-License-Identifier: Apache-2.0

package tun

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

const (
	deviceName = "link0"
	clonePath  = "/dev/net/tun"
	// deviceQueue is how many packets the device keeps for the pump.
	deviceQueue = 4096
)

// Namespace is one end of the link. It is safe for concurrent use.
type Namespace struct {
	address    string
	congestion string
	device     int // the file of the TUN device, which lives as long as it is open

	mu     sync.RWMutex // guards handle and device against a close while they are used
	handle netns.NsHandle
	missed uint64 // what unread counted at the close
}

// newNamespace makes a namespace with a device that has an address on the link.
func newNamespace(address, congestion string) (*Namespace, error) {
	if err := checkCongestion(congestion); err != nil {
		return nil, err
	}
	n := &Namespace{address: address, congestion: congestion, device: -1, handle: netns.None()}
	err := visit(func() (err error) {
		if n.handle, err = netns.New(); err != nil {
			return fmt.Errorf("make a network namespace (root or CAP_SYS_ADMIN can): %w", err)
		}
		return n.furnish()
	})
	if err != nil {
		return nil, errors.Join(err, n.close())
	}
	return n, nil
}

// visit runs a function that leaves the thread's namespace, and brings it back.
func visit(f func() error) (err error) {
	runtime.LockOSThread()
	home, err := netns.Get()
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("find the present network namespace: %w", err)
	}
	defer func() {
		if back := comeBack(home); back == nil {
			runtime.UnlockOSThread()
		} else { // the thread stays locked, and ends with its goroutine
			err = errors.Join(err, fmt.Errorf("leave the network namespace: %w", back))
		}
		_ = home.Close()
	}()
	return f()
}

// comeBack brings the present thread to a namespace. Without rights that fails also where
// it already is.
func comeBack(home netns.NsHandle) error {
	failed := netns.Set(home)
	if failed == nil {
		return nil
	}
	here, err := netns.Get()
	if err != nil {
		return errors.Join(failed, err)
	}
	defer func() { _ = here.Close() }()
	if here.Equal(home) {
		return nil
	}
	return failed
}

// furnish sets up the present namespace.
func (n *Namespace) furnish() error {
	// IPv6 would send packets of its own. A connection must not begin with what the
	// kernel remembers of those before.
	for name, value := range map[string]string{
		"ipv6/conf/all/disable_ipv6": "1", "ipv6/conf/default/disable_ipv6": "1", "ipv4/tcp_no_metrics_save": "1",
	} {
		if err := sysctl(name, value); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if n.congestion != "" {
		// A host may allow it for sockets that ask with CAP_NET_ADMIN alone: ours do.
		if err := sysctl("ipv4/tcp_congestion_control", n.congestion); err != nil && !errors.Is(err, fs.ErrPermission) {
			return err
		}
	}
	device, err := openDevice()
	if err != nil {
		return err
	}
	n.device = device
	if err := setUp("lo", nil); err != nil {
		return err
	}
	return setUp(deviceName, &netlink.Addr{IPNet: &net.IPNet{IP: net.ParseIP(n.address), Mask: net.CIDRMask(prefixBits, 32)}})
}

func sysctl(name, value string) error {
	if err := os.WriteFile("/proc/sys/net/"+name, []byte(value), 0o644); err != nil { //nolint:gosec // the kernel made the file
		return fmt.Errorf("set sysctl net/%s: %w", name, err)
	}
	return nil
}

// openDevice makes the TUN device of the present namespace. Without a virtio header the
// kernel hands over packets as they would be on a wire: cut to the MTU, with checksums.
func openDevice() (int, error) {
	fd, err := unix.Open(clonePath, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open %s: %w", clonePath, err)
	}
	request, err := unix.NewIfreq(deviceName)
	if err == nil {
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, fmt.Errorf("make a TUN device (root or CAP_NET_ADMIN can): %w", err)
	}
	return fd, nil
}

// setUp brings a device of the present namespace up, with an address or without.
func setUp(name string, address *netlink.Addr) error {
	device, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find device %s: %w", name, err)
	}
	if address != nil {
		if err := netlink.LinkSetMTU(device, MTU); err != nil {
			return fmt.Errorf("set the MTU of %s: %w", name, err)
		}
		if err := netlink.LinkSetTxQLen(device, deviceQueue); err != nil {
			return fmt.Errorf("set the queue of %s: %w", name, err)
		}
		if err := netlink.AddrAdd(device, address); err != nil {
			return fmt.Errorf("give %s the address %s: %w", name, address, err)
		}
	}
	if err := netlink.LinkSetUp(device); err != nil {
		return fmt.Errorf("bring %s up: %w", name, err)
	}
	return nil
}

// Do runs a function in the namespace, on a thread that is kept for it until it returns.
// Sockets that it opens and processes that it starts belong to the namespace;
// goroutines that it starts do not. It fails with ErrClosed or the function's error.
func (n *Namespace) Do(f func() error) error {
	return visit(func() error {
		if err := n.enter(); err != nil {
			return err
		}
		return f()
	})
}

func (n *Namespace) enter() error {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if !n.handle.IsOpen() {
		return ErrClosed
	}
	if err := netns.Set(n.handle); err != nil {
		return fmt.Errorf("enter the namespace: %w", err)
	}
	return nil
}

// Path stands for the namespace in the file system until Close, for nsenter --net, say;
// empty after Close.
func (n *Namespace) Path() string {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if !n.handle.IsOpen() {
		return ""
	}
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), int(n.handle))
}

// unread counts the packets that the device dropped because the pump did not take them.
func (n *Namespace) unread() uint64 {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.countUnread()
}

func (n *Namespace) countUnread() uint64 {
	if !n.handle.IsOpen() {
		return n.missed
	}
	kernel, err := netlink.NewHandleAt(n.handle, unix.NETLINK_ROUTE)
	if err != nil {
		return 0
	}
	defer kernel.Close()
	device, err := kernel.LinkByName(deviceName)
	if err != nil || device.Attrs().Statistics == nil { // somebody removed the device
		return 0
	}
	return device.Attrs().Statistics.TxDropped
}

// close removes the device, and the namespace when nothing else uses it.
func (n *Namespace) close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.missed = n.countUnread()
	var errs []error
	if n.device >= 0 {
		errs = append(errs, unix.Close(n.device))
		n.device = -1
	}
	if n.handle.IsOpen() {
		errs = append(errs, n.handle.Close())
	}
	return errors.Join(errs...)
}

func checkCongestion(name string) error {
	if name == "" {
		return nil
	}
	const path = "/proc/sys/net/ipv4/tcp_available_congestion_control"
	list, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("CongestionControl: %w", err)
	}
	if names := strings.Fields(string(list)); !slices.Contains(names, name) {
		return fmt.Errorf("CongestionControl: %q: allowed is %s", name, strings.Join(names, ", "))
	}
	return nil
}

func setCongestion(fd uintptr, name string) error {
	if err := unix.SetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION, name); err != nil {
		return fmt.Errorf("set congestion control %s: %w", name, err)
	}
	return nil
}
