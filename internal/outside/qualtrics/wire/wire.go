// Package wire is the shapes of Qualtrics' API v3: paths, requests, answers, errors,
// pages and dates, as they are on the wire. Client and stand-in both speak them, so
// that each is written down once. It has what is used here, not the whole API, and
// it calls nobody.
//
//	var a wire.Answer[wire.Created]
//	err := wire.Read(body, &a)
package wire

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// TokenHeader is the header of an API token.
const TokenHeader = "X-API-TOKEN"

// The error codes of a token that is no good.
const (
	CodeNoToken      = "ATP_2" // none was given
	CodeUnknownToken = "DCD_7"
)

// Answer is the envelope of every answer. T is a result's shape, json.RawMessage
// for whoever learns it later, and anything for one without.
type Answer[T any] struct {
	Result T    `json:"result,omitzero"`
	Meta   Meta `json:"meta"`
}

// Meta is what an answer says of itself.
type Meta struct {
	HTTPStatus string  `json:"httpStatus,omitempty"` // "200 - OK": for people
	RequestID  Text    `json:"requestId"`
	Notice     Text    `json:"notice,omitempty"` // what the account wants to be noticed, such as a better host
	Error      Problem `json:"error,omitzero"`
}

// Problem is why a call failed.
type Problem struct {
	Message Text `json:"errorMessage"`
	Code    Text `json:"errorCode,omitempty"`
}

// Page is the result of a list. Elements is nil when an answer has none, which is
// not the same as an empty list.
type Page[T any] struct {
	Elements []T   `json:"elements"`
	NextPage *Text `json:"nextPage"` // a whole URL; null on the last page
}

// Created is the result of what makes one thing.
type Created struct {
	ID string `json:"id,omitempty"`
}

// Text is a text that some answers write as a number.
type Text string

// UnmarshalJSON reads a string or a number; anything else is "".
func (t *Text) UnmarshalJSON(b []byte) error {
	*t = ""
	switch {
	case b[0] == '"':
		var s string
		_ = json.Unmarshal(b, &s) // it is a string
		*t = Text(s)
	case b[0] == '-' || b[0] >= '0' && b[0] <= '9':
		*t = Text(b)
	}
	return nil
}

// Values are named texts, numbers and booleans: embedded data, or a transaction's.
type Values struct{ *jsonvalue.Object }

// UnmarshalJSON reads an object; anything else is none.
func (v *Values) UnmarshalJSON(b []byte) error {
	v.Object = nil
	if o, err := jsonvalue.ParseObject(b); err == nil {
		v.Object = o
	}
	return nil
}

// Read reads JSON as far as it has the shape of v; what has another shape leaves the
// zero value. An error says that it is no JSON at all.
func Read(text []byte, v any) error {
	err := json.Unmarshal(text, v)
	var shape *json.UnmarshalTypeError
	if errors.As(err, &shape) {
		return nil
	}
	return err
}

// Write is v as JSON.
func Write(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // a message is read by people
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
