# SPDX-License-Identifier: Apache-2.0
#
# `make help` explains the targets. They need Go (the version in go.mod), a C compiler
# (ONNX Runtime is called through cgo) and npm (it carries ONNX Runtime). Where one is
# missing, `.ci/run --setup` installs it.

SHELL         := /bin/bash
.SHELLFLAGS   := -eu -o pipefail -c
.DEFAULT_GOAL := help
export PATH   := $(CURDIR)/build/.toolchain/bin:$(PATH):/usr/local/go/bin

VERSION  ?= 0.1.0-$(shell git rev-parse --short HEAD 2>/dev/null || echo source)
ARGS     ?=
FUZZTIME ?= 10s

SERVICES := device-service app-service cloud-service
BINARIES := $(addprefix ./,$(SERVICES)) ./cmd/offload
UNITS    := $$(go list ./... | grep -v /test/e2e)

# The SDKs keep their version in variables that only the linker can set; left at 0.0.0,
# an app service skips the check against core-metadata.
sdk       = $$(go list -m -f '{{.Version}}' github.com/edgexfoundry/$(1)/v3 | tr -d v)
LDFLAGS  := -X main.version=$(VERSION) \
  -X github.com/edgexfoundry/app-functions-sdk-go/v3/internal.ApplicationVersion=$(VERSION) \
  -X github.com/edgexfoundry/app-functions-sdk-go/v3/internal.SDKVersion=$(call sdk,app-functions-sdk-go) \
  -X github.com/edgexfoundry/device-sdk-go/v3/internal/common.SDKVersion=$(call sdk,device-sdk-go)

ONNXRUNTIME := build/onnxruntime/libonnxruntime.so

GOLANGCI_VERSION := v2.15.0
GOLANGCI := build/tools/golangci-lint-$(GOLANGCI_VERSION)

.PHONY: help
help: ## Show this list
	@echo 'edgex-offload: run AI on the box, next door or in the cloud, task by task.'
	@echo
	@grep -E '^[a-z0-9-]+:.*## ' Makefile | sed -E 's/:.*## /|/' | sort \
	  | awk -F'|' '{printf "  make %-11s %s\n", $$1, $$2}'
	@echo
	@echo 'Examples:'
	@echo '  make run                                 everything on this machine, until Ctrl-C'
	@echo '  make run ARGS="--profile flaky"          the same over a link that comes and goes'
	@echo '  make run ARGS="--for 30s --report r.json"'
	@echo '  make twin-check TRACE=drive.csv          what the twin says of a link against the live system'
	@echo '  make fuzz FUZZTIME=1m                    each parser of outside bytes for a minute'
	@echo '  bin/offload --help                       what else the command line does'

.PHONY: run
run: build ## Build all and watch tasks being offloaded (ARGS="--profile flaky"; ends with Ctrl-C)
	bin/offload up $(ARGS)

.PHONY: build
build: binaries $(ONNXRUNTIME) ## Build the services and the command line into bin/

.PHONY: binaries
binaries: tools
	go build -trimpath -buildvcs=false -ldflags "$(LDFLAGS)" -o bin/ $(BINARIES)

# Without glibc, for the Alpine image.
bin/static/device-service: tools
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w $(LDFLAGS)" -o $@ ./device-service
.PHONY: bin/static/device-service

.PHONY: test
test: unittest e2e ## Run every test: unit tests, then the real binaries end to end

.PHONY: unittest
unittest: tools $(ONNXRUNTIME) ## Run the unit tests
	go test -timeout 5m $(UNITS)

.PHONY: e2e
e2e: build ## Run the end-to-end tests against the binaries in bin/
	go test -timeout 8m -count=1 ./test/e2e/...

# Real time: a minute for each class.
TRACE   ?= build/twin-check-$(KIND).csv
KIND    ?= wifi
CLASSES ?= xavier,nano
FOR     ?= 60s

.PHONY: twin-check
twin-check: binaries $(TRACE) ## Compare the twin with the live system (slow; TRACE=FILE, root for IP packets)
	bin/offload twin check --trace $(TRACE) --class $(CLASSES) --for $(FOR) $(ARGS)

build/twin-check-%.csv: binaries
	@mkdir -p $(@D)
	bin/offload trace generate --kind $* --for $(FOR) --to $@

ROUNDS ?= 15

.PHONY: bench-infer
bench-infer: tools $(ONNXRUNTIME) ## Measure inference beside what it stands on (3 minutes; ARGS="--only swap --json f.json")
	go run ./infer/bench --rounds $(ROUNDS) $(ARGS)

.PHONY: race
race: tools $(ONNXRUNTIME) ## Run the unit tests under the race detector, without the long runs of the twin
	go test -race -short -timeout 15m $(UNITS)

.PHONY: fuzz
fuzz: tools ## Fuzz every target for FUZZTIME (10s) each
	.ci/fuzz $(FUZZTIME)

.PHONY: lint
lint: tools $(GOLANGCI) ## Check style, bugs and the arrows between the rooms
	$(GOLANGCI) run

.PHONY: fmt
fmt: tools $(GOLANGCI) ## Format the Go files
	$(GOLANGCI) fmt

.PHONY: tidy
tidy: ## Bring go.mod and go.sum up to date
	go mod tidy

.PHONY: docker
docker: ## Build an image per service, with docker, podman or buildah
	@engine=$$(command -v docker || command -v podman || command -v buildah) \
	  || { echo 'make docker: none of docker, podman and buildah is installed' >&2; exit 1; }; \
	for service in $(SERVICES); do \
	  $$engine build --target $$service --build-arg VERSION=$(VERSION) \
	    -t edgex-offload/$$service:$(VERSION) -t edgex-offload/$$service:latest .; \
	done

.PHONY: clean
clean: ## Remove what was built and downloaded
	rm -rf bin build coverage.out report.json

$(ONNXRUNTIME): scripts/get-onnxruntime.sh
	@[ -f $@ ] || command -v npm >/dev/null || .ci/run --setup
	scripts/get-onnxruntime.sh
	@touch $@

$(GOLANGCI): | tools
	GOBIN=$(CURDIR)/build/tools go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv build/tools/golangci-lint $@

.PHONY: tools
tools:
	@{ command -v gcc && go list -m; } >/dev/null 2>&1 || .ci/run --setup
