# SPDX-License-Identifier: Apache-2.0
#
# One target per service:
#
#   docker build --target device-service -t edgex-offload/device-service .
#   docker build --target app-service    -t edgex-offload/app-service .
#   docker build --target cloud-service  -t edgex-offload/cloud-service .
#
# `make docker` builds all three. device-service is static and stands on Alpine as EdgeX's
# own services do; the two that load ONNX Runtime need glibc and stand on Debian slim (see
# docs/decisions/0001-base-images.md). All have a shell, dumb-init and the certificates
# of the public authorities, which EdgeX's secure start-up asks for.

ARG GO_IMAGE=golang:1.26-bookworm
ARG NODE_IMAGE=node:22-bookworm-slim
ARG STATIC_BASE=alpine:3.22
ARG GLIBC_BASE=debian:bookworm-slim

FROM ${NODE_IMAGE} AS onnxruntime
COPY scripts/get-onnxruntime.sh /scripts/
RUN /scripts/get-onnxruntime.sh /onnxruntime

FROM ${GO_IMAGE} AS builder
WORKDIR /src
# What changes seldom first: the modules stay in the layer cache.
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=source
RUN make binaries bin/static/device-service VERSION=${VERSION}

FROM ${STATIC_BASE} AS device-service
RUN apk add --no-cache ca-certificates dumb-init
LABEL license='SPDX-License-Identifier: Apache-2.0' \
      copyright='Copyright (c) 2026: the edgex-offload authors'
COPY --from=builder /src/LICENSE /
COPY --from=builder /src/bin/static/device-service /device-service
COPY --from=builder /src/res/device-service /res/device-service
COPY --from=builder /src/profiles /profiles
ENV EDGEX_CONFIG_DIR=/res/device-service
EXPOSE 59950
ENTRYPOINT ["/device-service"]
CMD ["-cp=consul.http://edgex-core-consul:8500", "--registry"]

FROM ${GLIBC_BASE} AS inference
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates dumb-init libstdc++6 \
 && rm -rf /var/lib/apt/lists/*
LABEL license='SPDX-License-Identifier: Apache-2.0' \
      copyright='Copyright (c) 2026: the edgex-offload authors'
COPY --from=builder /src/LICENSE /
COPY --from=onnxruntime /onnxruntime/libonnxruntime.so /usr/local/lib/libonnxruntime.so
ENV ONNXRUNTIME_LIB=/usr/local/lib/libonnxruntime.so
COPY --from=builder /src/models /models

FROM inference AS app-service
COPY --from=builder /src/bin/app-service /app-service
COPY --from=builder /src/res/app-service /res/app-service
ENV EDGEX_CONFIG_DIR=/res/app-service
EXPOSE 59740
ENTRYPOINT ["/app-service"]
CMD ["-cp=consul.http://edgex-core-consul:8500", "--registry"]

FROM inference AS cloud-service
COPY --from=builder /src/bin/cloud-service /cloud-service
COPY --from=builder /src/res/cloud-service /res/cloud-service
EXPOSE 50051 50052
ENTRYPOINT ["/cloud-service"]
CMD ["-c", "/res/cloud-service/configuration.yaml"]
