package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/segue-xm/segue/internal/client"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/ops"
)

// remote are the flags of commands about a running server.
type remote struct {
	URL     string `default:"http://127.0.0.1:8080" env:"SEGUE_URL" placeholder:"URL" help:"The running server. Default ${default}."`
	Token   string `env:"SEGUE_TOKEN,SEGUE_ADMIN_TOKEN" placeholder:"TOKEN" help:"Bearer token; default: the admin token in the data directory, when it is there."`
	DataDir string `default:".segue" env:"SEGUE_DATA_DIR" placeholder:"DIR" help:"Where a server on this machine keeps its admin token."`
}

// tokenFile holds the admin token in a data directory.
const tokenFile = "admin-token"

// client asks the server. A wrong address is wrong usage.
func (r *remote) client() (*client.Client, error) {
	token := r.Token
	if token == "" {
		if b, err := os.ReadFile(filepath.Join(r.DataDir, tokenFile)); err == nil {
			token = strings.TrimSpace(string(b))
		}
	}
	c, err := client.New(r.URL, token)
	return c, usage(err)
}

// tracking is the address of a call of the Tracking API.
func (r *remote) tracking(call string) string {
	return strings.TrimRight(r.URL, "/") + "/v1/" + call
}

// unauthorized adds where a token comes from.
func unauthorized(err error) error {
	if fault.KindOf(err) != fault.Unauthorized {
		return err
	}
	return fmt.Errorf("%w; see --token and --data-dir", err)
}

// writer are the flags that say as which source events are sent.
type writer struct {
	Source   string `placeholder:"NAME" help:"The source the events come from; needed when there are several and no write key is given."`
	WriteKey string `env:"SEGUE_WRITE_KEY" placeholder:"KEY" help:"The source's write key; default: asked from the server, which takes an admin token."`
}

// key is the write key to send with.
func (w *writer) key(ctx context.Context, c *client.Client) (string, error) {
	if w.WriteKey != "" {
		return w.WriteKey, nil
	}
	all, err := c.Sources(ctx)
	if err != nil {
		return "", fault.Wrap(fault.KindOf(err), err, "ask for a write key (or give --write-key)")
	}
	var names []string
	var found []ops.Source
	for _, s := range all {
		if w.Source == "" && len(s.WriteKeys) == 0 {
			continue // takes webhooks or a workflow's URL
		}
		names = append(names, s.Name)
		if w.Source == "" || w.Source == s.Name {
			found = append(found, s)
		}
	}
	switch {
	case len(found) == 1 && len(found[0].WriteKeys) > 0:
		return found[0].WriteKeys[0], nil
	case len(found) == 1:
		return "", fault.Field("write-key", "the server tells none for source %s: give it", w.Source)
	case w.Source != "":
		return "", fault.Field("source", "there is none called %q; known are %s", w.Source, strings.Join(names, ", "))
	case len(found) == 0:
		return "", fault.Field("source", "the server has none with a write key")
	}
	return "", usage(fault.Field("source", "say which one: %s", strings.Join(names, ", ")))
}
