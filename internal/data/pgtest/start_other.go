//go:build !unix

package pgtest

import "fmt"

func start() (string, error) {
	return "", fmt.Errorf("%w is started on this operating system", errAbsent)
}
