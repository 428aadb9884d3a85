# Builds headgate, and runs it as an unprivileged user. The server finds its policy and its Redis by environment
# variables; see docker-compose.yml.
FROM swift:6.2-bookworm AS build
# Packages are not pinned: security updates of the distribution are wanted.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libhiredis-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY Package.swift ./
COPY lua lua
COPY Sources Sources
COPY Tests Tests
COPY examples examples
RUN swift build --configuration release --product headgate --static-swift-stdlib \
    && cp "$(swift build --configuration release --show-bin-path)/headgate" /usr/local/bin/headgate

FROM debian:bookworm-slim
# Packages are not pinned: security updates of the distribution are wanted.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libhiredis0.14 ca-certificates tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin headgate
COPY --from=build /usr/local/bin/headgate /usr/local/bin/headgate
COPY policies /policies
USER 10001
ENV HEADGATE_POLICY=/policies/quickstart.yaml \
    HEADGATE_LISTEN=0.0.0.0:8080 \
    HEADGATE_REDIS=redis://redis:6379/0
EXPOSE 8080
ENTRYPOINT ["headgate"]
CMD ["serve"]
