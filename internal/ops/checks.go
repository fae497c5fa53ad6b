package ops

import (
	"errors"

	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/flow"
	"github.com/segue-xm/segue/internal/core/fql"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/mapping"
	"github.com/segue-xm/segue/internal/core/path"
	"github.com/segue-xm/segue/internal/core/plan"
)

// Checks is everything that can be checked about a plan's texts by those who will
// have to run it. validate judges the settings of a task (the Validate of a task
// registry); nil leaves them unchecked.
func Checks(validate func(kind string, with *jsonvalue.Object) error) plan.Checks {
	return plan.Checks{
		Filter: func(text string) error {
			_, err := fql.Compile(text)
			return err
		},
		Mapping: func(action string, fields *jsonvalue.Object, builtIn bool) error {
			_, err := mapping.ForAction(action, fields, builtIn)
			return apart(err)
		},
		Condition: func(cel string) error {
			_, err := flow.CompileCondition(cel)
			return err
		},
		Path: func(text string) error {
			_, err := path.Read(text)
			return err
		},
		Template: func(text string) error {
			_, err := flow.CompileTemplate("template", text)
			return err
		},
		Task: validate,
	}
}

// apart tells each problem of a mapping at its own place.
func apart(err error) error {
	var invalid *mapping.ValidationError
	if !errors.As(err, &invalid) {
		return err
	}
	errs := make([]error, len(invalid.Problems))
	for i, p := range invalid.Problems {
		errs[i] = fault.Field(p.Path, "%s", p.Message)
	}
	return errors.Join(errs...)
}
