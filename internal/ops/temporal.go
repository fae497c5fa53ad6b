package ops

import (
	"net/url"
	"strings"

	"github.com/segue-xm/segue/internal/core/handover"
	"github.com/segue-xm/segue/internal/core/id"
)

// TemporalUI is where Temporal's pages are; zero when there are none to link to.
type TemporalUI struct {
	Address   string
	Namespace string // "" is default
}

// events is the page of the executions with an event's key.
func (t TemporalUI) events(event id.ID) string {
	return t.page("?query=" + url.QueryEscape(handover.AttributeEvents+` = "`+event.String()+`"`))
}

// workflow is the page of one execution.
func (t TemporalUI) workflow(workflowID string) string {
	return t.page("/" + url.PathEscape(workflowID))
}

func (t TemporalUI) page(rest string) string {
	if t.Address == "" {
		return ""
	}
	namespace := t.Namespace
	if namespace == "" {
		namespace = "default"
	}
	return strings.TrimSuffix(t.Address, "/") + "/namespaces/" + url.PathEscape(namespace) + "/workflows" + rest
}
