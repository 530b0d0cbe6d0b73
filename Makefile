# What a developer types. `make` alone lists it.

SERVE_OPTIONS ?= --data-dir .apus \
	--migrations examples/experts/migrations --seed examples/experts/seed \
	--web-root examples/experts/web --auth-external-anonymous-users-enabled true \
	--db-plan-enabled true --db-aggregates-enabled true

# Exclusive access is proven by the compiler, and checked at run time in the tests, which run debug builds.
RELEASE := -c release -Xswiftc -enforce-exclusivity=unchecked

.DEFAULT_GOAL := help
.PHONY: help setup build serve test tsan fuzz lint format bench bench-peers bench-realtime clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Bring what this machine lacks (silent when nothing is missing)
	@scripts/setup

build: setup ## Build a release
	@swift build $(RELEASE) --product apus

serve: build ## Serve the example on its own PostgreSQL, data in .apus/, page at http://localhost:3000/
	@exec .build/release/apus serve $(SERVE_OPTIONS)

test: ## All tests: on PostgreSQL 18, on the system's PostgreSQL, with real clients
	@scripts/setup --test
	@scripts/test

tsan: ## The Swift tests under the thread sanitizer
	@scripts/setup --test
	@swift test --sanitize=thread --scratch-path .build-tsan

fuzz: ## Made-up requests, as long as SECONDS says, on the corpus in Tests/Fuzz
	@scripts/fuzz $(or $(SECONDS),60)

lint: ## Formatting, direction of imports, names, fault codes
	@scripts/lint

format: ## Format all Swift sources
	@swift format --in-place --recursive --parallel --configuration .swift-format Package.swift Sources Tests

bench: ## Measure against the database alone, side by side in one run
	@scripts/setup --bench
	@swift build $(RELEASE)
	@scripts/bench

bench-peers: ## Measure the same work through FastAPI, Express and PocketBase
	@scripts/setup --peers
	@swift build $(RELEASE) --product apus
	@scripts/bench-peers

bench-realtime: ## Measure changes, fan-out and memory of many WebSockets
	@scripts/setup --bench
	@swift build $(RELEASE) --product apus
	@swift build $(RELEASE) --product apus-load
	@scripts/bench-realtime

clean: ## Remove what was built; .apus/ (data) and .cache/ stay
	@rm -rf .build .build-*
