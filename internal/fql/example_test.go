package fql_test

import (
	"fmt"

	"github.com/segue-xm/segue/internal/fql"
	"github.com/segue-xm/segue/internal/jsonvalue"
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
	// column 20: !( the ! is ignored: the group means the same without it
	// column 30: 'Order Completed' single quotes are part of the text: it equals only data that has them
}
