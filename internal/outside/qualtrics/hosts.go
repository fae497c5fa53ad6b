package qualtrics

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/segue-xm/segue/internal/core/fault"
)

const (
	domain       = "qualtrics.com"
	maxRedirects = 5
)

// DefaultDatacenter is the data center of a destination that names none: that of
// Segment's.
const DefaultDatacenter = "iad1"

var datacenterID = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

// homeOf is the host of a data center.
func homeOf(datacenter string) (string, error) {
	if datacenter == "" {
		datacenter = DefaultDatacenter
	}
	if !datacenterID.MatchString(datacenter) {
		return "", fault.Field("datacenter", "want letters, digits and -, such as fra1")
	}
	return strings.ToLower(datacenter) + "." + domain, nil
}

// hosts knows whom a client may call.
type hosts struct {
	home   string          // fra1.qualtrics.com
	listed map[string]bool // https://host or http://host:port, for workflow URLs
}

func newHosts(datacenter string, workflowHosts []string) (hosts, error) {
	home, err := homeOf(datacenter)
	if err != nil {
		return hosts{}, err
	}
	h := hosts{home: home, listed: map[string]bool{}}
	for _, text := range workflowHosts {
		full := text
		if !strings.Contains(full, "://") {
			full = "https://" + full
		}
		u, err := url.Parse(full)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
			return hosts{}, fault.Field("workflow_hosts", "%q is no host: want hooks.example.com, hooks.example.com:8443 or http://hooks.example.com", text)
		}
		h.listed[origin(u)] = true
	}
	return h, nil
}

// origin is scheme, host and port, without a port that goes without saying.
func origin(u *url.URL) string {
	host := strings.ToLower(u.Host)
	switch u.Scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return u.Scheme + "://" + host
}

// isHome reports whether a URL belongs to the account's data center: the only
// place where the token goes.
func (h hosts) isHome(u *url.URL) bool { return within(u, h.home) }

// within reports whether a URL is one of https at a host or below it.
func within(u *url.URL, host string) bool {
	at, ok := strings.CutPrefix(origin(u), "https://")
	return ok && (at == host || strings.HasSuffix(at, "."+host))
}

// workflowURL reads a workflow's URL. Only https to Qualtrics, or what is listed.
func (h hosts) workflowURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fault.Field("workflowUrl", "want the workflow's URL, such as https://%s/…", h.home)
	}
	if within(u, domain) || h.listed[origin(u)] {
		return u, nil
	}
	if u.Scheme == "http" && within(&url.URL{Scheme: "https", Host: u.Hostname()}, domain) {
		return nil, fault.Field("workflowUrl", "want https, not http")
	}
	return nil, fault.Field("workflowUrl", "the host %s is neither Qualtrics' nor listed among the destination's workflow hosts", clip(u.Host))
}

// clip shortens what goes into a message.
func clip(s string) string {
	if len(s) > 100 {
		return strings.ToValidUTF8(s[:100], "") + "…"
	}
	return s
}

// redirect is a http.Client's CheckRedirect: on within the hosts the first
// request was allowed to, keeping the method. A POST that became a GET would look
// like a success and write nothing.
func (h hosts) redirect(req *http.Request, via []*http.Request) error {
	first := via[0]
	switch {
	case len(via) > maxRedirects:
		return refuse("redirected more than %d times", maxRedirects)
	case req.Method != first.Method:
		return refuse("redirected with status %d, which would drop what is sent", req.Response.StatusCode)
	case h.isHome(first.URL) && h.isHome(req.URL), origin(req.URL) == origin(first.URL):
		return nil
	}
	return refuse("redirected to %s, which is not one of the account's own hosts", clip(req.URL.Host))
}
