// Package flow holds the rules of a workflow run: which typed fields an event
// gives, whether a condition holds, what a template says, which steps there are.
//
// Everything here is a function of values. There is no clock, no I/O and no
// Temporal: the orchestration asks for a small Verdict in an activity and does
// the waiting and the effects itself. Running tasks, finding contacts and
// sending messages are not here.
//
//	w, err := flow.Compile(definition)            // all paths, conditions, templates
//	fields := w.Fields().Extract(payload)         // value, default, missing or wrong type
//	ok, reason, err := w.Starts(scope)            // the workflow's own condition
//	verdict, err := w.Judge("ask", scope)         // skip, branch, wait or stop
//	with, err := w.StepWith("ask", scope)         // a task's settings, rendered
//
// What Compile returns is safe for concurrent use.
package flow
