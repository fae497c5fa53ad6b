package segment

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Segment signs with HMAC-SHA1, which is not broken as a MAC
	"encoding/hex"
	"strings"
)

// Sign returns the X-Signature of a webhook body: lower-case hex HMAC-SHA1.
func Sign(body []byte, secret string) string {
	return hex.EncodeToString(mac(body, secret))
}

func mac(b []byte, secret string) []byte {
	h := hmac.New(sha1.New, []byte(secret))
	h.Write(b)
	return h.Sum(nil)
}

// VerifySignature reports whether header signs body with one of the secrets,
// compared in constant time. Segment signs a batch over its first element
// alone, so for an array both the whole and the raw bytes of that element count:
// the other elements are then not protected, and replay is not either; message
// ids are what guards against that. Empty secrets never verify.
func VerifySignature(body []byte, header string, secrets []string) bool {
	want, err := hex.DecodeString(strings.TrimSpace(header))
	if err != nil || len(want) != sha1.Size {
		return false
	}
	first := firstElement(body)
	ok := false
	for _, s := range secrets {
		if s == "" {
			continue
		}
		if hmac.Equal(mac(body, s), want) {
			ok = true
		}
		if first != nil && hmac.Equal(mac(first, s), want) {
			ok = true
		}
	}
	return ok
}

// firstElement is the first element of an array as it was sent, or nil.
func firstElement(body []byte) []byte {
	i := space(body, 0)
	if i == len(body) || body[i] != '[' {
		return nil
	}
	i = space(body, i+1)
	end, flaw := value(body, i, 0)
	if flaw != "" {
		var ok bool
		if end, ok = cut(body, i); !ok {
			return nil
		}
	}
	if end == i {
		return nil
	}
	return body[i:end]
}
