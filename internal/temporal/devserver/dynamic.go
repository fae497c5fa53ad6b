//go:build !slim

package devserver

import "go.temporal.io/server/common/dynamicconfig"

// dynamicConfig is what differs from the server's defaults.
var dynamicConfig = dynamicconfig.StaticClient{
	// One partition of each task queue: with one machine's pollers more of them
	// only keep tasks and pollers apart.
	dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():  1,
	dynamicconfig.MatchingNumTaskqueueWritePartitions.Key(): 1,

	// The limits protect tenants from each other, and there is only one. What
	// they would hold back, the machine does.
	dynamicconfig.FrontendRPS.Key():                                  100_000,
	dynamicconfig.FrontendMaxNamespaceRPSPerInstance.Key():           100_000,
	dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key(): 1_000,
	dynamicconfig.HistoryRPS.Key():                                   100_000,
	dynamicconfig.MatchingRPS.Key():                                  100_000,
	dynamicconfig.FrontendPersistenceMaxQPS.Key():                    100_000,
	dynamicconfig.HistoryPersistenceMaxQPS.Key():                     100_000,
	dynamicconfig.MatchingPersistenceMaxQPS.Key():                    100_000,

	// Nothing is told to or asked of the outside: the version check calls home.
	dynamicconfig.EnableServerVersionCheck.Key(): false,
}
