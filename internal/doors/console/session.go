package console

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"sync"
	"time"
)

const (
	sessionCookie = "segue_session"
	visitCookie   = "segue_visit" // ties a sign-in form to the browser that asked for it
	sessionLife   = 12 * time.Hour
)

// keys are the purposes of the one session key, kept apart.
type keys struct {
	session, csrf, nonce []byte
	seal                 cipher.AEAD
}

func deriveKeys(master []byte) keys {
	derive := func(purpose string) []byte {
		m := hmac.New(sha256.New, master)
		m.Write([]byte("segue console " + purpose))
		return m.Sum(nil)
	}
	block, err := aes.NewCipher(derive("seal"))
	if err != nil {
		panic(err) // a key of 32 bytes is always taken
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return keys{session: derive("session"), csrf: derive("csrf"), nonce: derive("nonce"), seal: aead}
}

var b64 = base64.RawURLEncoding

func sign(key, text []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write(text)
	return m.Sum(nil)
}

// newSession makes a session's cookie: when it ends, 16 random bytes, and the
// signature over both. Nothing is stored, so every process can check it; changing
// the key ends all sessions.
func (k keys) newSession(now time.Time) string {
	body := make([]byte, 24)
	binary.BigEndian.PutUint64(body, uint64(now.Add(sessionLife).Unix()))
	_, _ = rand.Read(body[8:]) // never fails since Go 1.24
	return b64.EncodeToString(append(body, sign(k.session, body)...))
}

// readSession reports whether a cookie is ours and when it ends.
func (k keys) readSession(cookie string, now time.Time) (ends time.Time, ok bool) {
	raw, err := b64.DecodeString(cookie)
	if err != nil || len(raw) != 24+sha256.Size || !hmac.Equal(raw[24:], sign(k.session, raw[:24])) {
		return time.Time{}, false
	}
	ends = time.Unix(int64(binary.BigEndian.Uint64(raw)), 0)
	return ends, now.Before(ends)
}

// token is the CSRF token of a cookie: the same for all tabs of a session, and
// another one after signing in again.
func (k keys) token(cookie string) string {
	return b64.EncodeToString(sign(k.csrf, []byte(cookie)))
}

func (k keys) checkToken(cookie, token string) bool {
	return cookie != "" && hmac.Equal([]byte(token), []byte(k.token(cookie)))
}

// sealText makes a search that names a person fit for an address: readable here
// only, so that histories, logs and pasted links carry nobody's name. The nonce
// is made from the text, so the same search has one address and two texts never
// share a nonce.
func (k keys) sealText(text []byte) string {
	nonce := sign(k.nonce, text)[:k.seal.NonceSize()]
	return b64.EncodeToString(k.seal.Seal(nonce, nonce, text, nil))
}

func (k keys) openText(sealed string) ([]byte, bool) {
	raw, err := b64.DecodeString(sealed)
	n := k.seal.NonceSize()
	if err != nil || len(raw) < n {
		return nil, false
	}
	text, err := k.seal.Open(nil, raw[:n], raw[n:], nil)
	return text, err == nil
}

func randomText() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	return b64.EncodeToString(b)
}

// guard bounds how often a password may be tried: ten wrong ones from an address
// within a minute, then none until the minute is over. It forgets everybody when
// it holds too many addresses, which only makes it kinder.
type guard struct {
	mu    sync.Mutex
	wrong map[string]tries
}

type tries struct {
	since time.Time
	n     int
}

const (
	guardTries  = 10
	guardWindow = time.Minute
	guardSize   = 10_000
)

func newGuard() *guard { return &guard{wrong: map[string]tries{}} }

func (g *guard) blocked(addr string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.wrong[addr]
	return t.n >= guardTries && now.Sub(t.since) < guardWindow
}

func (g *guard) fail(addr string, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.wrong) >= guardSize {
		clear(g.wrong)
	}
	t := g.wrong[addr]
	if now.Sub(t.since) >= guardWindow {
		t = tries{since: now}
	}
	t.n++
	g.wrong[addr] = t
}
