package client

import "context"

// Source is one source of the plan in force.
type Source struct {
	Name string `json:"name"`
	// WriteKeys are its write keys as senders use them; none for a token that may
	// not see them.
	WriteKeys []string `json:"write_keys"`
}

// Sources lists the sources of the plan in force.
func (c *Client) Sources(ctx context.Context) ([]Source, error) {
	type answer struct {
		Sources []Source `json:"sources"`
	}
	a, err := get[answer](ctx, c, "/sources")
	return a.Sources, err
}
