package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/segue-xm/segue/internal/client"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/ops"
)

// planFile is the flag that names a plan.
type planFile struct {
	File string `short:"f" required:"" placeholder:"FILE" help:"The plan file; - is standard input."`
}

// name is what messages call the file.
func (f planFile) name() string {
	if f.File == "-" {
		return "stdin"
	}
	return f.File
}

func (f planFile) read(p *Program) ([]byte, error) { return readFile(p, f.File, plan.MaxSize) }

// readFile reads a file, or standard input for -, of at most so many bytes.
func readFile(p *Program, name string, size int64) ([]byte, error) {
	in, called := p.In, "stdin"
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, fileError(err)
		}
		defer file.Close()
		in, called = file, name
	}
	text, err := io.ReadAll(io.LimitReader(in, size+1))
	if err == nil && int64(len(text)) > size {
		err = fault.Field("file", "%s is over %d MB", called, size>>20)
	}
	return text, err
}

// fileError is a failure to open the file the flag names.
func fileError(err error) error {
	var e *os.PathError
	if errors.As(err, &e) {
		return fault.Field("file", "%s: %v", e.Path, e.Err)
	}
	return err
}

// input is what the server gets of the plan: the text as it was written, with the
// values of those ${NAME} that are set here.
func (f planFile) input(p *Program) (in ops.PlanInput, err error) {
	text, err := f.read(p)
	if err != nil {
		return in, err
	}
	return ops.NewPlanInput(f.name(), text, p.lookup), nil
}

// sent is the plan compared or applied by the server.
func (f planFile) sent(p *Program, r *remote, do func(*client.Client, context.Context, ops.PlanInput) (ops.PlanChanges, error)) (out ops.PlanChanges, err error) {
	ctx, stop := p.interruptible()
	defer stop()
	server, err := r.client()
	if err != nil {
		return out, err
	}
	in, err := f.input(p)
	if err == nil {
		out, err = do(server, ctx, in)
	}
	var bad *ops.PlanProblems
	if errors.As(err, &bad) {
		err = p.problems(f.name(), bad.Problems)
	}
	return out, err
}

// problems writes what is wrong with a plan and returns the error that says so.
func (p *Program) problems(file string, problems plan.Problems) error {
	if _, err := io.WriteString(p.Out, problems.Text()); err != nil {
		return err
	}
	return fmt.Errorf("%s: %s", file, count(len(problems), "problem"))
}

// count is a number of things in words.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// line is a text that ends its last line.
func line(text string) string {
	if text != "" && text[len(text)-1] != '\n' {
		text += "\n"
	}
	return text
}
