package segment

import (
	"encoding/base64"
	"strings"

	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// maxKey bounds a write key in bytes; Segment's have 32.
const maxKey = 255

// WriteKey finds the write key of a Tracking API request: the user of HTTP
// Basic (keys encoded without the colon are taken too), else writeKey at the
// top of the JSON body, which is also where it is with "Bearer". The header wins
// over the body. Items of a batch are not looked into. False: there is none.
func WriteKey(authorization string, body []byte) (string, bool) {
	if scheme, rest, _ := strings.Cut(authorization, " "); strings.EqualFold(scheme, "Basic") {
		if key, ok := basicUser(strings.TrimSpace(rest)); ok {
			return key, true
		}
	}
	return bodyKey(body)
}

func basicUser(coded string) (string, bool) {
	plain, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(coded, "="))
	if err != nil {
		return "", false
	}
	user, _, _ := strings.Cut(string(plain), ":")
	return user, usable(user)
}

// bodyKey walks the top level by brackets alone: a broken item further down
// must not hide the key.
func bodyKey(b []byte) (key string, ok bool) {
	i := space(b, 0)
	if i == len(b) || b[i] != '{' {
		return "", false
	}
	for i = space(b, i+1); i < len(b) && b[i] == '"'; {
		start := i
		end, val, flaw := name(b, i)
		if flaw != "" {
			return key, ok
		}
		var found bool
		if i, found = cut(b, val); !found {
			return key, ok
		}
		if fieldOf(b[start:end]) == fWriteKey && val < len(b) && b[val] == '"' {
			if stop, flaw := jsonvalue.SkipString(b, val); flaw == 0 {
				key = jsonvalue.Unquote(b[val:stop])
				ok = usable(key)
			}
		}
		if i = space(b, i); i < len(b) && b[i] == ',' {
			i = space(b, i+1)
		}
	}
	return key, ok
}

func usable(key string) bool {
	return key != "" && len(key) <= maxKey && clean(key) == key
}
