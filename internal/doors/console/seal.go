package console

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"

	"github.com/segue-xm/segue/internal/doors/kit"
)

// sealer makes a search that names a person fit for an address: readable here
// only, so that histories, logs and pasted links carry nobody's name.
type sealer struct {
	aead  cipher.AEAD
	nonce []byte
}

func newSealer(key []byte) sealer {
	block, err := aes.NewCipher(kit.DeriveKey(key, "seal"))
	if err != nil {
		panic(err) // a key of 32 bytes is always taken
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return sealer{aead, kit.DeriveKey(key, "nonce")}
}

// seal makes the nonce from the text, so the same search has one address and two
// texts never share a nonce.
func (s sealer) seal(text []byte) string {
	m := hmac.New(sha256.New, s.nonce)
	m.Write(text)
	nonce := m.Sum(nil)[:s.aead.NonceSize()]
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nonce, nonce, text, nil))
}

func (s sealer) open(sealed string) ([]byte, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	n := s.aead.NonceSize()
	if err != nil || len(raw) < n {
		return nil, false
	}
	text, err := s.aead.Open(nil, raw[:n], raw[n:], nil)
	return text, err == nil
}
