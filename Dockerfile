# The wheel is built in one stage and installed in another: no compiler, no source and no pip cache in the image.
FROM python:3.13-slim AS build
WORKDIR /source
# Dependencies first: their layer stays in the cache until the lock changes.
COPY requirements/runtime.txt ./
RUN pip wheel --no-cache-dir --no-deps --require-hashes --wheel-dir /wheels --requirement runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.13-slim
# The wheels of the first stage are the versions; nothing is looked for elsewhere.
# hadolint ignore=DL3013
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index --find-links /wheels probekit
# A number, not a name: Kubernetes' runAsNonRoot can check it. Nothing is written, so a read-only root will do.
USER 65532:65532
WORKDIR /config
# To remember runs from one container to the next, mount a folder and name a file in it here.
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PROBEKIT_STATE=none
ENTRYPOINT ["probekit"]
CMD ["--help"]
