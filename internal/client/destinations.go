package client

import (
	"context"
	"net/url"

	"github.com/segue-xm/segue/internal/ops"
)

// Destinations lists the destinations of the plan in force and how they are.
func (c *Client) Destinations(ctx context.Context) ([]ops.Destination, error) {
	list, err := get[ops.DestinationList](ctx, c, "/destinations")
	return list.Destinations, err
}

// TestConnection asks a destination's account whose token it is. What is wrong with
// the connection is an answer, not an error.
func (c *Client) TestConnection(ctx context.Context, nameOrID string) (ops.Connection, error) {
	return post[ops.Connection](ctx, c, destination(nameOrID, "test"), ops.ConnectionInput{})
}

// Pause keeps everything from going to a destination. Pausing twice keeps the first.
func (c *Client) Pause(ctx context.Context, nameOrID string, in ops.PauseInput) (ops.Destination, error) {
	return post[ops.Destination](ctx, c, destination(nameOrID, "pause"), in)
}

// Resume lets everything go to a destination again. Safe to call twice.
func (c *Client) Resume(ctx context.Context, nameOrID string) (ops.Destination, error) {
	return post[ops.Destination](ctx, c, destination(nameOrID, "resume"), struct{}{})
}

func destination(nameOrID, do string) string {
	return "/destinations/" + url.PathEscape(nameOrID) + "/" + do
}
