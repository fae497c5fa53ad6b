# The production image: Segue without the embedded Temporal, 50 MB of
# program. One image for `segue starter`, `segue worker` and `segue migrate`.
#
#   docker build -t segue --build-arg STAMP="$(.ci/stamp)" .
FROM golang:1.26.8-bookworm AS build
WORKDIR /src
# The modules change seldom: they are a layer of their own.
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# What `segue version` tells of the sources: .git is not here.
ARG STAMP=""
RUN --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -tags slim -trimpath -buildvcs=false -ldflags "-s -w $STAMP" -o /segue .

FROM debian:12-slim
# To check the certificates of Temporal, mail servers and web services. Time zones
# are in the program.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /segue /usr/local/bin/segue
COPY deploy/healthy /usr/local/bin/healthy
# Nothing is written: data is in the databases. Root can do nothing here either.
USER 65532:65532
ENV SEGUE_HTTP_ADDRESS=0.0.0.0:8080 SEGUE_WORKER_ADDRESS=0.0.0.0:8081
EXPOSE 8080 8081
ENTRYPOINT ["/usr/local/bin/segue"]
CMD ["starter"]
