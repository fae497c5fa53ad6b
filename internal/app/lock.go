package app

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/segue-xm/segue/internal/core/fault"
)

// lockDir keeps a second process out of a data directory. The lock ends with the
// process, however it ends.
func lockDir(dir string) (unlock func(), err error) {
	path := filepath.Join(dir, "segue.lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "open %s", path)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder, _ := os.ReadFile(path)
		_ = f.Close()
		return nil, &fault.Error{Kind: fault.Conflict, Field: "data-dir", Message: fmt.Sprintf("%s is in use by another segue (process %s); stop it or choose another with --data-dir", dir, holder)}
	}
	_ = f.Truncate(0)
	_, _ = fmt.Fprint(f, os.Getpid())
	return func() { _ = f.Close() }, nil
}
