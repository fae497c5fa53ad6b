package webservice

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGuard_OnlyPublicAddresses(t *testing.T) {
	t.Parallel()
	for _, a := range []string{
		"127.0.0.1", "127.255.0.9", "0.0.0.0", "0.1.2.3", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.127.255.255",
		"192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1",
		"64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::a00:1", "64:ff9b:1::1", "2001:db8::1", "2002:7f00:1::", "2001::1", "100::1",
	} {
		require.Error(t, guard{}.check(netip.MustParseAddr(a)), a)
	}
	for _, a := range []string{"1.1.1.1", "93.184.216.34", "172.32.0.1", "100.128.0.1", "169.253.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"} {
		require.NoError(t, guard{}.check(netip.MustParseAddr(a)), a)
	}
}

func TestGuard_AllowedNetworks(t *testing.T) {
	t.Parallel()
	g := guard{allowed: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("::1/128")}}
	require.NoError(t, g.check(netip.MustParseAddr("10.1.2.3")))
	require.NoError(t, g.check(netip.MustParseAddr("::ffff:10.1.2.3")))
	require.NoError(t, g.check(netip.MustParseAddr("64:ff9b::a01:203")))
	require.NoError(t, g.check(netip.MustParseAddr("::1")))
	require.Error(t, g.check(netip.MustParseAddr("10.2.2.3")))
	require.Error(t, g.check(netip.MustParseAddr("127.0.0.1")))
	require.Error(t, g.control("tcp", "nonsense", nil))
}
