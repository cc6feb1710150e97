# The targets are the jobs of CI. Every one installs what it needs first and says what it is doing.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run build site test e2e lint fmt bench tailwind-rs-check

help: ## what there is
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 20

run: ## build what is missing, then serve on http://localhost:3000
	@scripts/run.sh

build: ## target/release/keystead, one file with every asset inside
	@scripts/build.sh release

site: ## the browser's part, into target/site
	@scripts/build.sh site

test: ## every test: units, both databases, HTTP, gateways, guides, browser; on the release where they start it
	@scripts/test.sh all

e2e: ## the browser tests only
	@scripts/test.sh e2e

lint: ## format, clippy, licences and bans, what the WebAssembly build may know
	@scripts/lint.sh

fmt: ## format everything
	@cargo fmt --all

bench: ## throughput of /v1/verify as a ratio to a bare axum hello
	@scripts/bench.sh

tailwind-rs-check: ## repeat the trial of ADR 0001
	@scripts/tailwind-rs-check.sh
