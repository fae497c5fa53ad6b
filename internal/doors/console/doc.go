// Package console serves the pages people use to see what Segue did and why:
// events and the verdict of every mapping on them, contacts, runs, distributions
// and, in development, the outbox.
//
// Pages are HTML made on the server from embedded templates. They work with
// scripts off; the scripts only fetch a part of a page instead of the whole, add
// keys and copying. Nothing is computed here that the API does not also tell:
// the console calls the operations of ops that the API calls too.
//
// It is not a client framework and not the place for rules of the domain: what
// an outcome means is decided where it is made and shown here.
//
//	c, err := console.New(console.Options{Operations: console.Of(all), SignIn: check, SessionKey: key})
//	...
//	c.Register(app)
package console
