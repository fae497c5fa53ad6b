// Package distribution holds the rules of asking people: who may get an
// invitation now, which status may follow which, what is kept, and the names of
// what is sent. All of it is functions of values: the clock,
// randomness and stored rows come in as arguments. Sending, storing and waiting
// are elsewhere.
package distribution

import (
	"encoding/base32"
	"encoding/json"
	"strings"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/id"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Snapshot is what an invitation knew when it was made. It is frozen with the
// link, so that what a person is shown does not change under them when the
// contact does.
type Snapshot struct {
	Contact     *jsonvalue.Object `json:"contact"`
	Transaction *jsonvalue.Object `json:"transaction,omitempty"`
	Fields      *jsonvalue.Object `json:"fields,omitempty"` // the run's typed fields
	// The sender, whom a step may choose for each person; "" when it does not.
	From    string `json:"from,omitempty"`
	ReplyTo string `json:"reply_to,omitempty"`
}

// ReadSnapshot reads what an invitation keeps.
func ReadSnapshot(text string) (s Snapshot, err error) {
	return s, json.Unmarshal([]byte(text), &s)
}

// tokens is RFC 4648's base 32 in small letters: easy to read aloud and to
// type, and the same in every letter case.
var tokens = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// TokenLength is the length of a token in characters.
const TokenLength = 26

// Token is the secret in a personal link: 128 random bits. The caller draws them
// from a cryptographic source.
func Token(random [16]byte) string { return tokens.EncodeToString(random[:]) }

// ParseToken returns the canonical form of a token that came by a link: letter
// case does not matter. Anything that is no token is NotFound, because whoever
// follows a broken link is to see the same as for an unknown one.
func ParseToken(s string) (string, error) {
	s = strings.ToLower(s)
	if len(s) == TokenLength {
		if b, err := tokens.DecodeString(s); err == nil && tokens.EncodeToString(b) == s {
			return s, nil
		}
	}
	return "", fault.New(fault.NotFound, "this link is not known")
}

// MessageID is the Message-ID of one mail, without angle brackets. It is the same
// on every attempt, so that a mail handed over twice is seen as one.
func MessageID(invitation id.ID, kind Kind, host string) string {
	if host == "" {
		host = "localhost"
	}
	return invitation.String() + "." + string(kind) + "@" + host
}

// Language is the language, of those Segue speaks ("en", "ja"), in which a
// contact of the given language tag is addressed: "JA", "ja-JP" and "ja_JP" are
// Japanese; unknown and empty tags are English.
func Language(tag string) string {
	tag = strings.ToLower(strings.TrimSpace(tag))
	if base, _, _ := strings.Cut(strings.ReplaceAll(tag, "_", "-"), "-"); base == "ja" {
		return "ja"
	}
	return "en"
}
