package console

import "github.com/segue-xm/segue/internal/doors/api"

// The API's service is what the pages call in the program.
var _ Operations = (*api.Service)(nil)
