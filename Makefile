# make help lists what there is.
.DEFAULT_GOAL := help
# A clone that belongs to another user cannot be stamped by Go: .ci/stamp does it.
export GOFLAGS ?= -buildvcs=false
tools := dist/tools

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: ## run everything in one process (the first build takes minutes)
	go run -ldflags "$$(.ci/stamp)" .

.PHONY: build
build: ## build ./segue with the embedded Temporal
	go build -ldflags "$$(.ci/stamp)" -o segue .

.PHONY: slim
slim: ## build ./segue for production, without the embedded Temporal
	CGO_ENABLED=0 go build -tags slim -trimpath -ldflags "-s -w $$(.ci/stamp)" -o segue .

.PHONY: release
release: ## make the archives of a release, with checksums, in ./dist (half an hour)
	.ci/release

.PHONY: test
test: ## run the tests; PostgreSQL and browser tests are skipped where those are missing
	go test ./...

.PHONY: quick
quick: ## run the tests that need no embedded Temporal
	go test -short -tags slim ./...

.PHONY: race
race: ## run the tests with the race detector
	go test -race -tags slim ./...

.PHONY: fmt
fmt: ## format the code
	gofmt -w $$(git ls-files '*.go')

$(tools): tools/go.mod tools/go.sum
	go build -C tools -o $(CURDIR)/$(tools)/ tool
	@touch $(tools)

.PHONY: lint
lint: $(tools) ## lint, and check that workflows are deterministic
	$(tools)/golangci-lint run ./...
	$(tools)/workflowcheck ./workflows/...

.PHONY: check
check: ## do all that CI does
	.ci/run

.PHONY: clean
clean: ## remove what was built; data in .segue stays
	rm -rf segue dist
