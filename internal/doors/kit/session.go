package kit

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// SessionLife is how long somebody who signed in stays so.
const SessionLife = 12 * time.Hour

// Sessions makes and reads the cookies of those who signed in, and the tokens that
// show that a form is one of ours. Nothing is stored, so every process can check
// them; another key ends all sessions.
type Sessions struct{ session, form []byte }

// NewSessions signs with a key of at least 32 bytes.
func NewSessions(key []byte) Sessions {
	return Sessions{session: DeriveKey(key, "session"), form: DeriveKey(key, "csrf")}
}

// DeriveKey is a key of 32 bytes for one purpose, so that one key serves several.
func DeriveKey(key []byte, purpose string) []byte { return sign(key, []byte("segue console "+purpose)) }

func sign(key, text []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write(text)
	return m.Sum(nil)
}

var b64 = base64.RawURLEncoding

// New makes a session's cookie: when it ends, 16 random bytes, and the signature
// over both.
func (s Sessions) New(now time.Time) string {
	body := make([]byte, 24)
	binary.BigEndian.PutUint64(body, uint64(now.Add(SessionLife).Unix()))
	_, _ = rand.Read(body[8:]) // never fails since Go 1.24
	return b64.EncodeToString(append(body, sign(s.session, body)...))
}

// Read reports whether a cookie is ours and when it ends.
func (s Sessions) Read(cookie string, now time.Time) (ends time.Time, ok bool) {
	raw, err := b64.DecodeString(cookie)
	if err != nil || len(raw) != 24+sha256.Size || !hmac.Equal(raw[24:], sign(s.session, raw[:24])) {
		return time.Time{}, false
	}
	ends = time.Unix(int64(binary.BigEndian.Uint64(raw)), 0)
	return ends, now.Before(ends)
}

// FormToken is the token of a cookie's forms: the same for all tabs of a session,
// and another one after signing in again.
func (s Sessions) FormToken(cookie string) string {
	return b64.EncodeToString(sign(s.form, []byte(cookie)))
}

// FromHere reports whether a POST was made by one of our own pages: the browser
// says so where it can, and the form's token proves it.
func (s Sessions) FromHere(c *fiber.Ctx, cookie string) bool {
	switch c.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
	default:
		return false
	}
	if o := c.Get("Origin"); o != "" && o != "null" {
		u, err := url.Parse(o)
		if err != nil || !strings.EqualFold(u.Host, c.Hostname()) {
			return false
		}
	}
	token := c.Get("X-CSRF")
	if token == "" {
		token = c.FormValue("csrf")
	}
	return cookie != "" && hmac.Equal([]byte(token), []byte(s.FormToken(cookie)))
}

// SetCookie sets a cookie of the whole site that other sites' forms do not send.
func SetCookie(c *fiber.Ctx, k *fiber.Cookie) {
	k.Path, k.SameSite, k.Secure = "/", fiber.CookieSameSiteLaxMode, c.Secure()
	c.Cookie(k)
}

// RandomText is a text that nobody guesses.
func RandomText() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails since Go 1.24
	return b64.EncodeToString(b)
}
