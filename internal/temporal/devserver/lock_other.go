//go:build !slim && !unix

package devserver

import (
	"os"
	"path/filepath"
)

// lock cannot keep a second server off the directory on this system.
func lock(dir string) (*os.File, error) {
	return os.OpenFile(filepath.Join(dir, "temporal.lock"), os.O_CREATE|os.O_RDWR, 0o600)
}
