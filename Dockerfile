# syntax=docker/dockerfile:1

# Node.js builds GraphiQL, which the server carries.
FROM node:24-trixie-slim AS node

# The compiler that the profile is for: see pgo/.
FROM rust:1.95.0-trixie AS build
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=node /usr/local/lib/node_modules /usr/local/lib/node_modules
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
WORKDIR /src
COPY . .
# The cache is for dependencies: Cargo tells changes by their time, which copying keeps, so the rest is built anew.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target,id=linkedin-targets,sharing=locked \
    --mount=type=cache,target=/root/.npm \
    cargo clean --release --workspace --locked --target "$(rustc --print host-tuple)" \
    && GRAPHIQL_REQUIRED=true pgo/build \
    && cp target/pgo/linkedin-targets /usr/local/bin/

FROM debian:trixie-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home --home-dir /var/lib/linkedin-targets --shell /usr/sbin/nologin linkedin-targets
COPY --from=build /usr/local/bin/linkedin-targets /usr/local/bin/
USER 10001
WORKDIR /var/lib/linkedin-targets
# A volume that is mounted here belongs to the user, too.
RUN mkdir data
ENV BIND=0.0.0.0 PORT=8080 LOG_FORMAT=json
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s \
    CMD curl --fail --silent --output /dev/null "http://127.0.0.1:${PORT:-8080}/readyz"
ENTRYPOINT ["linkedin-targets"]
CMD ["serve"]
