package qualtrics_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/segue-xm/segue/internal/core/delivery"
	"github.com/segue-xm/segue/internal/core/fault"
	"github.com/segue-xm/segue/internal/core/jsonvalue"
	"github.com/segue-xm/segue/internal/core/plan"
	"github.com/segue-xm/segue/internal/outside/qualtrics"
)

// A delivery is tried until it is done or can never be. What is known of an
// attempt goes into the next one.
func ExampleConnector_Deliver() {
	there := &account{script: []reply{
		{status: 504, body: `{"meta":{"requestId":"r1","error":{"errorMessage":"Timed out"}}}`}, // was it written?
		{status: 200, body: `{"result":{"elements":[{"id":"CID_1","externalDataReference":"u-1","firstName":"Jo"}]},"meta":{"requestId":"r2"}}`},
	}}
	there.server = httptest.NewServer(there)
	defer there.server.Close()
	client, err := qualtrics.New(qualtrics.Options{Datacenter: "fra1", APIToken: "0123456789", Transport: there})
	if err != nil {
		fmt.Println(err)
		return
	}
	connector := qualtrics.NewConnector(client)
	payload, _ := jsonvalue.ParseObject([]byte(`{"directoryId":"POOL_1","extRef":"u-1","firstName":"Jo"}`))
	d := delivery.Attempt{Action: plan.UpsertContact, Payload: payload, MessageID: "m-1", Accepted: time.Now()}
	for {
		o := connector.Deliver(context.Background(), d)
		if o.Err == nil {
			fmt.Println("done:", jsonvalue.Text(o.Summary), o.RequestIDs)
			return
		}
		fmt.Println(o.Err)
		if fault.KindOf(o.Err).Final() {
			return
		}
		d.Repeat = d.Repeat || o.Unsure
		d.Contact = o.Contact
	}
	// Output:
	// create contact: 504 Timed out (request r1)
	// done: {"contact":"CID_1","found_done":true} [r2]
}
