# The way in: `make demo` runs the main job on real servers, `make test` passes the tests. Both install what they lack.
export PATH := $(CURDIR)/.cache/tools/bin:$(PATH)
export RUSTDOCFLAGS := -D warnings

.PHONY: demo test quick check-format lint layers page unit docs release

demo:
	@tools/setup demo
	@printf '\033[1m==>\033[0m building (some minutes the first time)\n'
	@cargo build -p drydock -p bench --bin drydock --bin demo
	@target/debug/demo

test:
	@tools/setup test
	@$(MAKE) --no-print-directory check-format lint layers page
	cargo nextest run --workspace --profile ci
	@$(MAKE) --no-print-directory docs
	@tools/report

# The part to run while working: no servers.
quick:
	@tools/setup demo
	@$(MAKE) --no-print-directory check-format lint layers unit

check-format:
	cargo fmt --all -- --check

lint:
	cargo clippy --quiet --workspace --all-targets -- -D warnings

layers:
	cargo run --quiet -p xtask -- layers

# Types, shapes against the OpenAPI document, and whether web/dist is what its sources build. The distribution's node may be too old.
page:
	@if node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a === 22 && b >= 12) || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null; \
	then cd web && npm run --silent check; else echo "SKIPPED: the page's own checks (they need node 20.19, or 22.12 or newer)"; fi

unit:
	cargo nextest run --workspace --lib --bins

docs:
	cargo doc --quiet --workspace --no-deps

release:
	cargo build --release -p drydock
