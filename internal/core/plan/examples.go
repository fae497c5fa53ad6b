package plan

import _ "embed"

//go:embed example.yaml
var exampleText []byte

//go:embed onboarding.yaml
var onboardingText []byte

// Example is a commented plan in YAML that shows every key of every part.
func Example() []byte { return append([]byte(nil), exampleText...) }

// Onboarding is the plan in YAML that a new installation starts with: whoever
// finishes a product tour is asked how it was. It needs ${SEGUE_DEMO_WRITE_KEY}.
func Onboarding() []byte { return append([]byte(nil), onboardingText...) }
