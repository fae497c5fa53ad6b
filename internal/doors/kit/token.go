package kit

import (
	"crypto/sha256"
	"crypto/subtle"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/segue-xm/segue/internal/core/fault"
)

// BearerAuth lets requests pass whose bearer token check accepts; others are
// Unauthorized.
func BearerAuth(check func(token string) bool) fiber.Handler {
	return func(c *fiber.Ctx) error {
		scheme, token, _ := strings.Cut(c.Get(fiber.HeaderAuthorization), " ")
		if !strings.EqualFold(scheme, "Bearer") || token == "" {
			return fault.New(fault.Unauthorized, "want the header Authorization: Bearer with a token")
		}
		if !check(strings.TrimSpace(token)) {
			return fault.New(fault.Unauthorized, "this token is not known")
		}
		return c.Next()
	}
}

// Tokens is a check for BearerAuth that knows these tokens and takes the same time
// whatever is asked. Empty ones count for nothing.
func Tokens(known ...string) func(token string) bool {
	var sums [][sha256.Size]byte
	for _, t := range known {
		if t != "" {
			sums = append(sums, sha256.Sum256([]byte(t)))
		}
	}
	return func(token string) bool {
		asked := sha256.Sum256([]byte(token))
		ok := 0
		for i := range sums {
			ok |= subtle.ConstantTimeCompare(asked[:], sums[i][:])
		}
		return ok == 1
	}
}
