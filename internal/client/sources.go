package client

import (
	"context"

	"github.com/segue-xm/segue/internal/ops"
)

// Sources lists the sources of the plan in force; one has no write keys for a token
// that may not see them.
func (c *Client) Sources(ctx context.Context) ([]ops.Source, error) {
	list, err := get[ops.SourceList](ctx, c, "/sources")
	return list.Sources, err
}
