package client

import (
	"context"
	"net/http"
	"strconv"

	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/ops"
)

// Export is the plan in force as YAML, with its revision.
func (c *Client) Export(ctx context.Context) (yaml []byte, revision int64, err error) {
	yaml, header, err := c.do(ctx, http.MethodGet, "/plan", nil)
	if err != nil {
		return nil, 0, err
	}
	revision, err = strconv.ParseInt(header.Get("Segue-Revision"), 10, 64)
	return yaml, revision, err
}

// Validate has the server judge a plan; nil when nothing is wrong.
func (c *Client) Validate(ctx context.Context, in ops.PlanInput) error {
	_, err := post[ops.PlanVerdict](ctx, c, "/plan/validate", in)
	return err
}

// Diff says what applying a plan would change.
func (c *Client) Diff(ctx context.Context, in ops.PlanInput) (ops.PlanChanges, error) {
	return post[ops.PlanChanges](ctx, c, "/plan/diff", in)
}

// Apply puts a plan in force.
func (c *Client) Apply(ctx context.Context, in ops.PlanInput) (ops.PlanChanges, error) {
	return post[ops.PlanChanges](ctx, c, "/plan/apply", in)
}

// Why explains an event.
func (c *Client) Why(ctx context.Context, event id.ID) (ops.Why, error) {
	return get[ops.Why](ctx, c, "/events/"+event.String()+"/why")
}

// CheckUpgrade says which stored texts earlier releases understood in another way.
func (c *Client) CheckUpgrade(ctx context.Context) (ops.UpgradeReport, error) {
	return get[ops.UpgradeReport](ctx, c, "/check/upgrade")
}
