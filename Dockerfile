# syntax=docker/dockerfile:1

# The sidecar's image, the same for amd64 and arm64:
#
#   docker buildx build --platform linux/amd64,linux/arm64 \
#     --build-arg VERSION=0.1.0 --build-arg REVISION="$(git rev-parse HEAD)" \
#     --build-arg CREATED="$(git log -1 --format=%cI)" --tag REGISTRY/bss-sidecar:0.1.0 --push .
#
# `--build-arg BASE=…@sha256:…` pins what it stands on, or takes it from a registry of your own.
# The tests in tests/image/ perform these very steps on a machine without an engine.

ARG BASE=python:3.11-slim-bookworm

# ---- What is installed: from the lock, every hash checked, nothing compiled from source -----------
FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_CACHE_DIR=/var/cache/pip
WORKDIR /src
RUN python -m venv --without-pip /app
COPY requirements/runtime.txt requirements/build.txt requirements/
# The cache is a mount, and stays out of the layer.
# hadolint ignore=DL3042
RUN --mount=type=cache,target=/var/cache/pip \
    python -m pip --python /app/bin/python install --quiet --no-compile --require-hashes \
      --only-binary :all: --requirement requirements/runtime.txt \
 && python -m pip install --quiet --require-hashes \
      --only-binary :all: --requirement requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY adapters adapters
COPY config config
COPY proxy proxy
RUN python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir /wheels . \
 && python -m pip --python /app/bin/python install --quiet --no-compile --no-deps /wheels/*.whl

# ---- What it runs on: Python without its installers, headers and toys, and bytecode of everything --
FROM ${BASE} AS trimmed
COPY --from=build /app /app
# Bytecode is taken as it is, without a look at its source: on a root that is read-only nobody could
# renew it, and the standard library of the base comes without any.
RUN rm -rf /usr/local/include /usr/local/share/man /usr/local/bin/pip* /usr/local/bin/idle* \
      /usr/local/bin/pydoc* /usr/local/bin/2to3* /usr/local/bin/python*-config \
      /usr/local/lib/pkgconfig /usr/local/lib/python3*/config-* \
      /usr/local/lib/python3*/ensurepip /usr/local/lib/python3*/idlelib \
      /usr/local/lib/python3*/lib2to3 /usr/local/lib/python3*/tkinter \
      /usr/local/lib/python3*/turtledemo /usr/local/lib/python3*/test \
      /usr/local/lib/python3*/site-packages/* \
 && python -m compileall -q -f -j 0 -x '/lib2to3/|bad_|badsyntax' \
      --invalidation-mode unchecked-hash /usr/local/lib /app/lib \
 && echo 'bss-sidecar:x:65532:' >> /etc/group \
 && echo 'bss-sidecar:x:65532:65532:BSS sidecar:/nonexistent:/usr/sbin/nologin' >> /etc/passwd

# ---- One layer, in which what was removed has never been ------------------------------------------
FROM scratch
# The whole of it is meant: it has been trimmed for that.
# hadolint ignore=DL3067
COPY --from=trimmed / /
ENV PATH=/app/bin:/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
ARG BASE
ARG VERSION=0.0.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="bss-sidecar" \
      org.opencontainers.image.description="Answers Pedkai's three billing questions next to every pod." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.base.name="${BASE}"
WORKDIR /
# By number, so that `runAsNonRoot` can be judged before it starts.
USER 65532:65532
ENTRYPOINT ["python", "-P", "-m", "proxy"]
CMD ["serve", "--fail-open", "/etc/bss-sidecar/config/sidecar.yaml"]
