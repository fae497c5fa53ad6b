package ops

import "github.com/segue-xm/segue/internal/core/plan"

// Problem is the body of every error answer (RFC 9457, application/problem+json).
type Problem struct {
	Type      string `json:"type"` // "about:blank"
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Kind      string `json:"kind"` // fault.Kind
	Detail    string `json:"detail"`
	Field     string `json:"field,omitempty"`
	RequestID string `json:"request_id"`
	// Problems are all that is wrong with a plan.
	Problems plan.Problems `json:"problems,omitempty"`
}
