//go:build !slim

package devserver

import (
	"context"
	"errors"
	"net"
	"strconv"
	"syscall"
	"time"

	"github.com/segue-xm/segue/internal/core/fault"
)

var loopback = net.IPv4(127, 0, 0, 1)

// reserve checks that the address can be listened on and returns it, with a
// free port for port 0. The check comes first because the server and the UI end
// the process when they cannot listen. setting names the address in errors.
func reserve(setting, address string) (*net.TCPAddr, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fault.Field(setting, "%q is not host:port", address)
	}
	ip := net.ParseIP(host)
	if host == "localhost" {
		ip = loopback
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if ip == nil || err != nil {
		return nil, fault.Field(setting, "%q: the host must be an IP address or localhost, and the port a number", address)
	}
	if n == 0 {
		return freePort(ip)
	}
	at := &net.TCPAddr{IP: ip, Port: int(n)}
	l, err := net.ListenTCP("tcp", at)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, &fault.Error{Kind: fault.Conflict, Field: setting, Message: address +
			" is already in use, perhaps by another segue or Temporal: stop that, or choose another address (port 0 takes a free one)"}
	case err != nil:
		return nil, &fault.Error{Kind: fault.Invalid, Field: setting, Message: "cannot listen on " + err.Error()}
	}
	return at, l.Close()
}

// freePort returns a port that nothing listens on and that the system will not
// give to another process asking for a free port for the next minute: after a
// connection was made on it and closed from its side, the port is in TIME_WAIT,
// where only one who names it gets it.
func freePort(ip net.IP) (*net.TCPAddr, error) {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: ip})
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "find a free port on %s", ip)
	}
	defer l.Close()
	at := &net.TCPAddr{IP: ip, Port: l.Addr().(*net.TCPAddr).Port}
	theirs, err := net.Dial("tcp", dialable(at))
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "find a free port on %s", ip)
	}
	defer theirs.Close()
	ours, err := l.Accept()
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "find a free port on %s", ip)
	}
	return at, ours.Close() // first, so that TIME_WAIT is on the port's side
}

// dialable is the host:port at which this machine reaches a listener.
func dialable(at *net.TCPAddr) string {
	ip := at.IP
	if ip.IsUnspecified() {
		ip = loopback
		if at.IP.To4() == nil {
			ip = net.IPv6loopback
		}
	}
	return hostPort(ip, at.Port)
}

// accepts waits until address takes connections.
func accepts(ctx context.Context, address string) error {
	for {
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			return c.Close()
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(5 * time.Millisecond):
		}
	}
}
