# The images are arguments, for a mirror or for bases of one's own. Any Rust image with a C compiler does: the binary is
# linked statically for the builder's own processor, against musl on Alpine and against glibc on Debian.
ARG RUST_IMAGE=docker.io/library/rust:1.95-alpine
ARG BASE_IMAGE=gcr.io/distroless/static-debian12:nonroot

FROM ${RUST_IMAGE} AS build
ARG CARGO_AUDITABLE_VERSION=0.7.7
# The list of dependencies is written into the binary, where scanners of images look for it.
RUN cargo install --locked --version "${CARGO_AUDITABLE_VERSION}" cargo-auditable
WORKDIR /src
# A target that is named keeps the flags away from build scripts and procedural macros, which cannot be static.
ENV RUSTFLAGS="-C target-feature=+crt-static"
RUN rustc --print host-tuple > /target
# Dependencies first, with empty sources: this layer stays until Cargo.lock changes.
COPY Cargo.toml Cargo.lock ./
COPY tests/bed/Cargo.toml tests/bed/
RUN mkdir -p src tests/bed/src tests/it && \
    for main in src tests/bed/src tests/it; do echo 'fn main() {}' > "$main/main.rs"; done && \
    touch src/lib.rs tests/bed/src/lib.rs && \
    cargo auditable build --release --locked --target "$(cat /target)" --bin entrain && \
    rm -r src
COPY src src
# Cargo goes by the time of a file, and the empty sources were younger.
RUN touch src/main.rs src/lib.rs && \
    cargo auditable build --release --locked --target "$(cat /target)" --bin entrain && \
    cp "target/$(cat /target)/release/entrain" /entrain

# The base brings the roots of trust for TLS and nothing that could run.
FROM ${BASE_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="entrain" \
      org.opencontainers.image.description="Microsoft Entra ID provisioning jobs as Kubernetes resources" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/entrain-dev/entrain" \
      org.opencontainers.image.documentation="https://github.com/entrain-dev/entrain#readme" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /entrain /usr/bin/entrain
# A number, because runAsNonRoot cannot judge a name.
USER 65532:65532
ENTRYPOINT ["/usr/bin/entrain"]
