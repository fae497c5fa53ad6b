package cli

import "github.com/segue-xm/segue/internal/cli/eval"

type evalFilterCommand struct{}

// Help is the long help text.
func (evalFilterCommand) Help() string {
	return "\"matches\" is null when the expression is invalid or judging it fails; then \"error\" says why. Unknown keys are ignored. " +
		"A line that is not JSON gets {\"error\"} in its place, and the exit code is 1 at the end."
}

// Run runs the command.
func (evalFilterCommand) Run(p *Program) error { return eval.Filters(p.In, p.Out) }

type evalMappingCommand struct{}

// Help is the long help text.
func (evalMappingCommand) Help() string {
	return "\"kind\" is \"validation\" for a mapping that is refused, \"runtime\" for one that fails on its payload. Unknown keys are ignored. " +
		"A line that is not JSON gets {\"error\"} in its place, and the exit code is 1 at the end."
}

// Run runs the command.
func (evalMappingCommand) Run(p *Program) error { return eval.Mappings(p.In, p.Out) }

type evalTemplateCommand struct{}

// Help is the long help text.
func (evalTemplateCommand) Help() string {
	return "The members of \"data\" are the template's variables. All of Liquid is on, as in liquidjs: messages refuse filters that do not exist, @liquid has fewer tags. " +
		"Unknown keys are ignored. A line that is not JSON gets {\"error\"} in its place, and the exit code is 1 at the end."
}

// Run runs the command.
func (evalTemplateCommand) Run(p *Program) error { return eval.Templates(p.In, p.Out) }

type evalPathCommand struct{}

// Help is the long help text.
func (evalPathCommand) Help() string {
	return "Paths are those of RFC 9535, values come in its order. \"error\" says why something is no path, or that it is beyond what the fields of one run may take. " +
		"Unknown keys are ignored. A line that is not JSON gets {\"error\"} in its place, and the exit code is 1 at the end."
}

// Run runs the command.
func (evalPathCommand) Run(p *Program) error { return eval.Paths(p.In, p.Out) }
