//go:build unix

package pgtest_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/segue-xm/segue/internal/data/pgtest"
)

const envVictim = "SEGUE_PGTEST_VICTIM"

func TestServer_WhenTheProcessIsKilled_NothingStaysBehind(t *testing.T) {
	if os.Getenv(envVictim) != "" { // we are the process to be killed
		var dir string
		c := connect(t, pgtest.Server(t))
		require.NoError(t, c.QueryRow(context.Background(), "SELECT current_setting('data_directory')").Scan(&dir))
		fmt.Printf("%s %s\n", pgtest.Server(t), dir)
		select {}
	}
	t.Parallel()
	if os.Getenv("SEGUE_TEST_POSTGRES_URL") != "" {
		t.Skip("the server is not ours to stop")
	}
	pgtest.Server(t) // skips without PostgreSQL

	victim := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	victim.Env = append(os.Environ(), envVictim+"=1")
	out, err := victim.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, victim.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	u, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
	require.DirExists(t, dir)

	require.NoError(t, victim.Process.Kill())
	_ = victim.Wait()
	require.Eventually(t, func() bool {
		_, statErr := os.Stat(dir)
		c, err := pgx.Connect(context.Background(), u)
		if err == nil {
			_ = c.Close(context.Background())
		}
		return err != nil && os.IsNotExist(statErr)
	}, 20*time.Second, 50*time.Millisecond)
}
