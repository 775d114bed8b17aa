# The way in: `make demo` runs the main job on real servers, `make test` passes the tests. Both install what they lack.
export PATH := $(CURDIR)/.cache/tools/bin:$(PATH)
export RUSTDOCFLAGS := -D warnings

.PHONY: demo test quick check-format lint layers unit docs bench release

demo:
	@tools/setup demo
	@printf '\033[1m==>\033[0m building (some minutes the first time)\n'
	@cargo build -p drydock -p bench --bin drydock --bin demo
	@target/debug/demo

test:
	@tools/setup test
	@$(MAKE) --no-print-directory check-format lint layers
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

unit:
	cargo nextest run --workspace --lib --bins

docs:
	cargo doc --quiet --workspace --no-deps

release:
	cargo build --release -p drydock
