package app

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/data/seal"
	"github.com/segue-xm/segue/internal/data/store"
)

// Names of files in the data directory.
const (
	encryptionKeyFile = "encryption-key"
	adminTokenFile    = "admin-token"
	writeKeyFile      = "demo-write-key"
)

// kept returns the text in a file of the data directory, made once and readable
// by the owner alone.
func kept(dir, name string, fresh func() string) (string, error) {
	path := filepath.Join(dir, name)
	b, err := os.ReadFile(path)
	if err == nil {
		return strings.TrimSpace(string(b)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fault.Wrap(fault.Unavailable, err, "read %s", path)
	}
	value := fresh()
	if err := os.WriteFile(path, []byte(value+"\n"), 0o600); err != nil {
		return "", fault.Wrap(fault.Unavailable, err, "write %s", path)
	}
	return value, nil
}

// fillKeys makes what was not given, in the data directory. Only dev has one: the
// halves must be given theirs, and may run where nothing can be written.
func (o *Options) fillKeys() error {
	if o.Mode != Dev || o.EncryptionKey != "" && o.AdminToken != "" {
		return nil
	}
	if err := os.MkdirAll(o.DataDir, 0o700); err != nil {
		return fault.Wrap(fault.Unavailable, err, "make the data directory")
	}
	var err error
	if o.EncryptionKey == "" {
		if o.EncryptionKey, err = kept(o.DataDir, encryptionKeyFile, seal.NewKey); err != nil {
			return err
		}
	}
	if o.AdminToken == "" {
		o.AdminToken, err = kept(o.DataDir, adminTokenFile, store.NewToken)
	}
	return err
}

// sessionKey is the key of the console's session cookies: derived from the
// encryption key, so that every process that serves the console has the same.
func (o *Options) sessionKey() ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(keyTexts(o.EncryptionKey)[0]))
	if err != nil {
		return nil, fault.Field("encryption-key", "want base64 of 32 bytes")
	}
	return hkdf.Key(sha256.New, raw, nil, "console sessions", sha256.Size)
}
