# `make demo` and `make test` need rustup, Go, Python 3 and a C compiler; everything else they build.

TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
# PROFILE=release tests what is released.
PROFILE ?= dev
BUILT := $(TARGET)/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))
BED := $(BUILT)/bed
ENTRAIN := $(BUILT)/entrain
# Tests of the whole stack mostly wait, so there are two for each processor.
THREADS := $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN))))
ONCE := $(if $(filter 1,$(DEMO_ONCE)),--once)

# The build caches and the processors are shared, so two targets never run at once.
.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help demo test search search-ci bench bench-fair-use bench-mappings check-tools binaries crds generated fmt lint

help: ## show this
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: check-tools binaries ## a SyncJob becomes a job, on a control plane of its own; DEMO_ONCE=1 exits when it is done
	@$(BED) tools etcd kube-apiserver kubectl >/dev/null
	@$(BED) demo --operator $(ENTRAIN) $(ONCE)

test: check-tools binaries ## all tests; the first time they build a control plane and clients, which takes 15 to 20 minutes
	@$(BED) tools >/dev/null
	RUST_TEST_THREADS=$${RUST_TEST_THREADS:-$(THREADS)} cargo test --workspace --profile $(if $(filter dev,$(PROFILE)),test,$(PROFILE))

# Another run of the search takes other seeds: SEARCH_SEED=1000001 make search.
search: ## the search over the real loop; SEARCH_SCHEDULES and SEARCH_SEED choose the schedules
	SEARCH_SCHEDULES=$${SEARCH_SCHEDULES:-1000000} SEARCH_SEED=$${SEARCH_SEED:-1} \
	  cargo test --release --test it -- --nocapture world::search::search_finds_nothing
	SEARCH_SWEEP=all cargo test --release --test it -- --nocapture world::sweep

# In the profile of the other tests, so that nothing is compiled for it alone and every guard can be taken away.
search-ci: ## the part of the search that CI runs
	SEARCH_SCHEDULES=$${SEARCH_SCHEDULES:-50000} cargo test --test it -- --nocapture world::search::search_finds_nothing

# In virtual time, so that a build without optimisation gives the same numbers.
bench-fair-use: ## how fair and how complete the use of Graph is, as ratios
	cargo bench -p entrain --bench fair_use --profile dev

# Optimised as in a release: time is what it is about.
bench-mappings: ## what merging an overlay into a large schema costs, against parsing it
	cargo bench -p entrain --bench mappings

# The operator is built for itself: with the bench, its libraries would have what only tests need. Sizes: BENCH_SYNC_JOBS and
# others, `cargo bench -p entrain --bench fleet -- --help` lists them. A try: BENCH_SYNC_JOBS=100 BENCH_REPEATS=1 make bench-b1
FLEET = cargo build --release --workspace --bins && $(TARGET)/release/bed tools etcd kube-apiserver kubectl >/dev/null && \
	  cp $(TARGET)/release/entrain $(TARGET)/release/entrain-measured && \
	  BENCH_OPERATOR=$(TARGET)/release/entrain-measured cargo bench -p entrain --bench fleet --profile release --

bench: check-tools bench-fair-use bench-mappings ## all benches; the rows of docs/performance.md take hours at full size
	$(FLEET)

bench-b%: check-tools ## one row of docs/performance.md, as in make bench-b1
	$(FLEET) b$*

binaries:
	cargo build --workspace --bins --profile $(PROFILE)

crds: binaries ## rewrite crds/ from the types
	@mkdir -p crds
	@$(ENTRAIN) crd > crds/entrain.dev.yaml.new && mv crds/entrain.dev.yaml.new crds/entrain.dev.yaml

generated: crds ## rewrite what is made from other files: crds/, the chart's schema and table, config/, crds.yaml, install.yaml, pages of docs/
	UPDATE=1 cargo test --test it -- --quiet chart::generated
	UPDATE=1 cargo test --test it -- --quiet chart::kustomize::the_plain_manifests_are_fresh dashboard::the_json docs::pages conditions argo life::describe

fmt: ## format the sources
	cargo fmt --all

lint: ## what a change must pass in addition to the tests
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items

# Everything that is missing is listed at once. Go is not needed where KUBEBUILDER_ASSETS has the binaries; `make test` wants
# kstatus among them.
check-tools: ## list what is missing on this machine
	@missing=0; \
	need() { command -v "$$1" >/dev/null 2>&1 || { echo "missing: $$2" >&2; missing=1; }; }; \
	need cargo "Rust, from https://rustup.rs, which installs the toolchain that rust-toolchain.toml names"; \
	need cc "a C compiler, from the package gcc or build-essential (macOS: xcode-select --install)"; \
	need python3 "Python 3, from your system's packages or https://www.python.org/downloads"; \
	if [ -z "$$KUBEBUILDER_ASSETS" ]; then \
	  need go "Go 1.26 or newer, from https://go.dev/dl (or KUBEBUILDER_ASSETS with the binaries of a control plane)"; \
	fi; \
	[ "$$missing" -eq 0 ]
