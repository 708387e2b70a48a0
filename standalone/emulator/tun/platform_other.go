// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package tun

import "errors"

// errPlatform is what everything fails with here.
var errPlatform = errors.New("network namespaces and TUN devices as needed are Linux's alone")

// Namespace is one end of the link.
type Namespace struct{ address, congestion string }

func newNamespace(string, string) (*Namespace, error) { return nil, errPlatform }

// Do fails: there is no namespace here.
func (n *Namespace) Do(func() error) error { return errPlatform }

// Path is empty here.
func (n *Namespace) Path() string { return "" }

func (n *Namespace) unread() uint64 { return 0 }

func (n *Namespace) close() error { return nil }

func setCongestion(uintptr, string) error { return errPlatform }

type pump struct{}

func newPump(*Network) (*pump, error) { return nil, errPlatform }
func (p *pump) run() error            { return errPlatform }
func (p *pump) stop()                 {}
func (p *pump) close() error          { return nil }
