package qualtrics

import (
	"context"
	"net/http"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// StartWorkflow posts a JSON value, or nothing when it is Undefined, to a
// workflow's URL. The URL must be Qualtrics' or at a listed host, else the error is
// Invalid; only the account's own hosts get the token. The id is that of the
// request, when the answer names it.
//
// There is no way to see whether a workflow was started: sending twice starts
// twice.
func (c *Client) StartWorkflow(ctx context.Context, workflowURL string, payload any) (requestID string, err error) {
	u, err := c.workflowURL(workflowURL)
	if err != nil {
		return "", err
	}
	u.Fragment, u.RawFragment = "", ""
	do := call{what: "start workflow", method: http.MethodPost, url: u, group: WorkflowStarts, write: true, bare: true}
	if !jsonvalue.IsUndefined(payload) {
		do.body = jsonvalue.Append(nil, payload)
	}
	a, err := c.do(ctx, do)
	return a.requestID(), err
}
