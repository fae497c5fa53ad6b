// Package qualtrics connects to a real Qualtrics account over its API v3.
//
// Client has the calls, one method each, in the shapes of wire, with the account's
// pace kept and its errors told apart. Connector does on top of it what a delivery
// asks for, and Accounts opens the accounts of a plan for the courier:
//
//	client, err := qualtrics.New(qualtrics.Options{Datacenter: "fra1", APIToken: token})
//	outcome := qualtrics.NewConnector(client).Deliver(ctx, attempt)
//
// The requests are those of Segment's own destination for Qualtrics, so that an
// account sees no difference when mappings are taken over. Where that destination
// has a defect, Segue does the right thing; each such place has a name in
// Differences.
//
// A remote account cannot take part in a transaction of ours: an effect happens at
// least once. What would do harm when done twice is looked for before it is
// repeated; see delivery.Attempt.
//
// The package keeps nothing on disk and starts nothing by itself. It decides
// whether a failure can be tried again, never when: that is for the caller, with
// fault.RetryAfter as the earliest time.
package qualtrics
