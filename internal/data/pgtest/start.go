//go:build unix

package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// guard runs the server (the arguments after $1) for as long as its standard
// input is open, then stops it and removes its directory ($1). The other end of
// that pipe is held by the test process, so the end of the process is what
// closes it: after a panic, a timeout or kill -9 as well. SIGQUIT is
// PostgreSQL's immediate shutdown: the data are thrown away.
const guard = `exec 3<&0
dir=$1; shift
"$@" </dev/null & server=$!
{ read -r _; kill -QUIT $server; } <&3 & watch=$!
wait $server
kill $watch
rm -rf "$dir"`

// settings keep fsync as in production, so that tests meet its real order of
// things; connections are many because packages of tests and Temporal's four
// services each bring pools.
var settings = []string{
	"-c", "listen_addresses=127.0.0.1",
	"-c", "unix_socket_directories=",
	"-c", "max_connections=300",
	"-c", "shared_buffers=64MB",
	"-c", "max_wal_size=512MB",
	"-c", "timezone=UTC",
}

// start makes a new data directory, starts a server on it, and returns its URL
// when it answers.
func start() (string, error) {
	bin, err := binaries()
	if err != nil {
		return "", err
	}
	cred, err := unprivileged()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "segue-pgtest-")
	if err != nil {
		return "", err
	}
	if cred != nil {
		if err := os.Chown(dir, int(cred.Uid), int(cred.Gid)); err != nil {
			return "", err
		}
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust",
		"-E", "UTF8", "--no-locale", "--no-sync", "--no-instructions")
	initdb.Dir = dir
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: cred}
	if out, err := initdb.CombinedOutput(); err != nil {
		_ = os.RemoveAll(dir)
		return "", fmt.Errorf("initdb: %w\n%s", err, out)
	}

	port, err := freePort()
	if err != nil {
		return "", err
	}
	args := []string{"-c", guard, "guard", dir, filepath.Join(bin, "postgres"), "-D", data, "-p", strconv.Itoa(port)}
	run := exec.Command("/bin/sh", append(args, settings...)...)
	run.Dir = dir
	// A process group of its own: an interrupt from the terminal ends the test
	// process, and through the pipe, in order, the server.
	run.SysProcAttr = &syscall.SysProcAttr{Credential: cred, Setpgid: true}
	alive, err := run.StdinPipe() // stays open until this process ends
	if err != nil {
		return "", err
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return "", err
	}
	defer log.Close()
	run.Stdout, run.Stderr = log, log
	if err := run.Start(); err != nil {
		return "", err
	}
	ended := make(chan struct{})
	go func() { _ = run.Wait(); close(ended) }()

	u := fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", port)
	if err := answers(u, ended); err != nil {
		_ = alive.Close()
		said := make([]byte, 4096)
		n, _ := log.ReadAt(said, 0) // through the handle: the file may be removed
		return "", fmt.Errorf("start %s: %w\n%s", filepath.Join(bin, "postgres"), err, said[:n])
	}
	keepOpen = alive
	return u, nil
}

// keepOpen holds the guard's pipe: a collected one would be closed.
var keepOpen any //nolint:unused // holding it is its use

// answers waits until the server takes connections.
func answers(u string, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	for {
		c, err := pgx.Connect(ctx, u)
		if err == nil {
			return c.Close(ctx)
		}
		select {
		case <-ended:
			return errors.New("it ended at once")
		case <-ctx.Done():
			return err
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// binaries finds the directory of postgres and initdb: the newest of Debian's
// versioned directories, which are not in the PATH, else the PATH.
func binaries() (string, error) {
	best, newest := "", 0.0
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	for _, d := range dirs {
		v, _ := strconv.ParseFloat(filepath.Base(filepath.Dir(d)), 64)
		if v > newest && executable(d, "postgres") && executable(d, "initdb") {
			best, newest = d, v
		}
	}
	if best != "" {
		return best, nil
	}
	for _, d := range filepath.SplitList(os.Getenv("PATH")) {
		if executable(d, "postgres") && executable(d, "initdb") {
			return d, nil
		}
	}
	return "", fmt.Errorf("%w: neither /usr/lib/postgresql/*/bin nor the PATH has postgres and initdb", errAbsent)
}

func executable(dir, name string) bool {
	_, err := exec.LookPath(filepath.Join(dir, name))
	return err == nil
}

// unprivileged returns whom to run the server as: nil for ourselves, and the
// user postgres when we are root, because PostgreSQL refuses root.
func unprivileged() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("%w that root could start: %w", errAbsent, err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
