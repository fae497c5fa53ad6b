//go:build !slim && unix

package devserver_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/segue-xm/segue/internal/temporal/devserver"
)

const envVictim = "SEGUE_DEVSERVER_VICTIM"

func TestStart_AfterTheProcessWasKilled_FinishesWhatWasStarted(t *testing.T) {
	if dir := os.Getenv(envVictim); dir != "" { // we are the process to be killed
		c := dial(t, start(t, devserver.Options{Dir: dir}))
		_, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "killed", TaskQueue: "hello"}, "hello")
		require.NoError(t, err)
		fmt.Println("acknowledged")
		select {}
	}
	t.Parallel()
	dir := t.TempDir()
	victim := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	victim.Env = append(os.Environ(), envVictim+"="+dir)
	out, err := victim.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, victim.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	_ = victim.Process.Kill()
	_ = victim.Wait()
	require.NoError(t, err)
	require.Equal(t, "acknowledged\n", line)

	c := dial(t, start(t, devserver.Options{Dir: dir}))
	w := worker.New(c, "hello", worker.Options{})
	w.RegisterWorkflowWithOptions(hello, workflow.RegisterOptions{Name: "hello"})
	require.NoError(t, w.Start())
	defer w.Stop()
	var result string
	require.NoError(t, c.GetWorkflow(t.Context(), "killed", "").Get(t.Context(), &result))
	require.Equal(t, "hello", result)
}
