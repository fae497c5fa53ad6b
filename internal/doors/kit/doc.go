// Package kit is what all doors have in common: errors told as problem+json,
// request ids, bearer tokens, sessions of those who signed in and the tokens of
// their forms, and bounds on what is read.
//
//	app := fiber.New(fiber.Config{ErrorHandler: kit.ErrorHandler(logger)})
//	group := app.Group("/api", kit.BearerAuth(kit.Tokens(adminToken)))
//
// It knows neither paths nor pages.
package kit
