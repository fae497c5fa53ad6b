package client

import (
	"context"
	"net/url"

	"github.com/segue-xm/segue/internal/doors/api"
)

// Destinations lists the destinations of the plan in force and how they are.
func (c *Client) Destinations(ctx context.Context) ([]api.Destination, error) {
	list, err := get[api.DestinationList](ctx, c, "/destinations")
	return list.Destinations, err
}

// TestConnection asks a destination's account whose token it is. What is wrong with
// the connection is an answer, not an error.
func (c *Client) TestConnection(ctx context.Context, nameOrID string) (api.Connection, error) {
	return post[api.Connection](ctx, c, destination(nameOrID, "test"), api.ConnectionInput{})
}

// Pause keeps everything from going to a destination. Pausing twice keeps the first.
func (c *Client) Pause(ctx context.Context, nameOrID string, in api.PauseInput) (api.Destination, error) {
	return post[api.Destination](ctx, c, destination(nameOrID, "pause"), in)
}

// Resume lets everything go to a destination again. Safe to call twice.
func (c *Client) Resume(ctx context.Context, nameOrID string) (api.Destination, error) {
	return post[api.Destination](ctx, c, destination(nameOrID, "resume"), struct{}{})
}

func destination(nameOrID, do string) string {
	return "/destinations/" + url.PathEscape(nameOrID) + "/" + do
}
