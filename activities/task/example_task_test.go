package task_test

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"time"

	"github.com/segue-xm/segue/activities/task"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

// Coupon is a task that makes a coupon code, for a message in a later step.
type Coupon struct{}

// CouponSettings are the task's settings in a plan.
type CouponSettings struct {
	Percent float64 `json:"percent"`
}

// Spec describes the task; forms, checks and the list of tasks come from it.
func (Coupon) Spec() task.Spec {
	return task.Spec{
		Kind: "coupon", Title: "Make a coupon", Doc: "Makes a coupon code. Later steps see it as code.", Timeout: time.Second,
		Fields: []task.FieldSpec{{Name: "percent", Type: "number", Doc: "The discount, 1 to 50", Required: true}},
	}
}

// Validate checks settings when a plan is saved, and again before Run.
func (Coupon) Validate(s CouponSettings) error {
	if s.Percent < 1 || s.Percent > 50 {
		return fault.Field("percent", "want 1 to 50")
	}
	return nil
}

// Run makes the code of the key, not of chance: the same in every attempt.
func (Coupon) Run(_ context.Context, in task.Input[CouponSettings]) (task.Output, error) {
	sum := sha256.Sum256([]byte(in.Key))
	values := jsonvalue.NewObject(2)
	values.Set("code", base32.StdEncoding.EncodeToString(sum[:5]))
	values.Set("percent", in.Config.Percent)
	return task.Output{Values: values}, nil
}

// A task is a struct with three methods. Put into the registry, it is a step that
// any workflow can take.
func Example() {
	reg := task.NewRegistry()
	task.Add(reg, Coupon{})

	with, _ := jsonvalue.ParseObject([]byte(`{"percent": 20}`))
	out, err := reg.Run(context.Background(), "coupon", task.RawInput{Context: task.Context{Key: "1qk3ryfw0100/coupon"}, With: with})
	fmt.Println(jsonvalue.Text(out.Values), err)

	with.Set("percent", 80.0)
	fmt.Println(reg.Validate("coupon", with))
	// Output:
	// {"code":"V54QJ5AD","percent":20} <nil>
	// percent: want 1 to 50
}
