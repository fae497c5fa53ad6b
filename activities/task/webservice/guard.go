package webservice

import (
	"fmt"
	"net/netip"
	"syscall"

	"github.com/segue-xm/segue/internal/core/fault"
)

// reserved are the networks that global unicast and private leave over and that
// no public service lives in. Sources: the IANA special-purpose address
// registries for IPv4 and IPv6.
var reserved = prefixes(
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
	"::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10",
)

// nat64 holds IPv4 addresses in its last four bytes (RFC 6052).
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, t := range texts {
		out[i] = netip.MustParsePrefix(t)
	}
	return out
}

// guard refuses connections to addresses inside somebody's network. It looks at
// the address that is connected to, after name resolution and for every redirect,
// so that a name cannot lead it astray.
type guard struct{ allowed []netip.Prefix }

// control is a net.Dialer's Control.
func (g guard) control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return refusal{fmt.Sprintf("%q is no address", address)}
	}
	return g.check(at.Addr())
}

func (g guard) check(a netip.Addr) error {
	a = a.WithZone("").Unmap()
	for _, p := range g.allowed {
		if p.Contains(a) {
			return nil
		}
	}
	if nat64.Contains(a) {
		b := a.As16()
		return g.check(netip.AddrFrom4([4]byte(b[12:])))
	}
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return refusal{"the address is not a public one"}
	}
	for _, p := range reserved {
		if p.Contains(a) {
			return refusal{"the address is not a public one"}
		}
	}
	return nil
}

// refusal is the guard's error.
type refusal struct{ why string }

func (r refusal) Error() string { return r.why }

func (r refusal) fault() error {
	return fault.Field("url", "%s: services inside the network need the operator's permission", r.why)
}
