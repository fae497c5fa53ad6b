//go:build !slim

package devserver

import (
	"context"
	"net"
	"strings"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	uioptions "github.com/temporalio/ui-server/v2/server/server_options"

	"github.com/segue-xm/segue/internal/core/fault"
)

// startUI serves the UI and returns when it accepts connections.
func (s *Server) startUI(ctx context.Context, o Options, at *net.TCPAddr) error {
	host := at.IP.String()
	if strings.Contains(host, ":") {
		host = "[" + host + "]" // it is put before ":port" as it is
	}
	s.ui = uiserver.NewServer(uioptions.WithConfigProvider(&uiconfig.Config{
		Host:                host,
		Port:                at.Port,
		TemporalGRPCAddress: s.address,
		DefaultNamespace:    o.Namespace,
		EnableUI:            true,
		CORS:                uiconfig.CORS{CookieInsecure: true}, // plain HTTP
		HideLogs:            true,
		DisableNewsFetch:    true, // nothing is asked of the outside
	}))
	go func() { _ = s.ui.Start() }()

	ctx, cancel := context.WithTimeout(ctx, uiStartTimeout)
	defer cancel()
	if err := accepts(ctx, dialable(at)); err != nil {
		return fault.Wrap(fault.Unavailable, err, "Temporal's UI on %s", at)
	}
	s.uiURL = "http://" + dialable(at)
	return nil
}
