//go:build !slim && unix

package devserver

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"

	"github.com/segue-xm/segue/internal/core/fault"
)

// lock makes this the only server on a directory, until the returned file is
// closed or the process ends. Two servers would take the one history shard from
// each other without end.
func lock(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "temporal.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	_ = f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, &fault.Error{Kind: fault.Conflict, Field: "data-dir", Message: dir +
			" is in use by another segue: stop that, or choose another directory"}
	}
	return nil, err
}
