package fql_test

import (
	"fmt"

	"github.com/segue-xm/segue/internal/core/fql"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
)

func ExampleFilter_Match() {
	f, err := fql.Compile(`type = "track" and match(event, "Order*") and properties.total >= 100`)
	if err != nil {
		fmt.Println(err)
		return
	}
	event, _ := jsonvalue.ParseObject([]byte(`{"type": "track", "event": "Order Completed", "properties": {"total": 120}}`))
	fmt.Println(f.Match(event))
	// Output: true <nil>
}

func ExampleLint() {
	for _, f := range fql.Lint(`type = "track" and !(event = 'Order Completed')`) {
		fmt.Printf("column %d: %s %s\n", f.Column, f.Construct, f.Means)
	}
	// Output:
	// column 20: !( this is destination-filter FQL; as a trigger it means: the ! is ignored, and the group means the same without it
	// column 30: 'Order Completed' this is destination-filter FQL; as a trigger it means: the text with its single quotes, which equals only data that has them
}
