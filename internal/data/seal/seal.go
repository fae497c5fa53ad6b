// Package seal encrypts the secrets that Segue keeps: AES-256-GCM with a random
// nonce, under the first of several keys; any of them opens. Rotation is putting a
// new key in front.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/segue-xm/segue/internal/core/fault"
)

// KeySize is a key's length in bytes.
const KeySize = 32

// Sealer seals and opens. Safe for concurrent use.
type Sealer struct{ keys []cipher.AEAD }

// New reads keys as base64 texts of KeySize bytes, comma separated; the first
// seals.
func New(keys string) (*Sealer, error) {
	s := &Sealer{}
	for _, k := range strings.Split(keys, ",") {
		raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(k))
		if err != nil || len(raw) != KeySize {
			return nil, fault.Field("encryption-key", "want base64 of %d bytes", KeySize)
		}
		block, err := aes.NewCipher(raw)
		if err != nil {
			return nil, err
		}
		gcm, err := cipher.NewGCM(block)
		if err != nil {
			return nil, err
		}
		s.keys = append(s.keys, gcm)
	}
	return s, nil
}

// NewKey returns a new random key in the form that New reads.
func NewKey() string {
	var b [KeySize]byte
	rand.Read(b[:]) //nolint:errcheck // never fails (Go 1.24)
	return base64.StdEncoding.EncodeToString(b[:])
}

// Seal encrypts.
func (s *Sealer) Seal(plain []byte) ([]byte, error) {
	gcm := s.keys[0]
	nonce := make([]byte, gcm.NonceSize(), gcm.NonceSize()+len(plain)+gcm.Overhead())
	rand.Read(nonce) //nolint:errcheck // never fails (Go 1.24)
	return gcm.Seal(nonce, nonce, plain, nil), nil
}

// Open decrypts what any of the keys sealed.
func (s *Sealer) Open(sealed []byte) ([]byte, error) {
	for _, gcm := range s.keys {
		if n := gcm.NonceSize(); len(sealed) >= n {
			if plain, err := gcm.Open(nil, sealed[:n], sealed[n:], nil); err == nil {
				return plain, nil
			}
		}
	}
	return nil, errors.New("no known key opens it")
}
