# Operant on a CPU (the simd engine), the same everywhere.
#
#   docker build -t operant .
#   docker run --rm --init -v "$PWD/runs:/project/runs" operant train --env CartPole-v1
#   docker build --target ray -t operant-ray .        the same with Ray, for nodes of a cluster (docs/ray.md)
#   docker build -t operant:serve --target serve .     a policy server, with a health check; `operant manifest` runs it on Kubernetes
#   docker run --rm --init -p 127.0.0.1:8000:8000 -e OPERANT_SERVE_TOKEN -v "$PWD/runs:/models:ro" operant:serve --policy cart=/models/cart-pole
#
# `--init` forwards Ctrl-C, so that a run ends with a checkpoint. Mount your own environment's folder below /project to use it. For a build that
# never changes, give the base by digest: --build-arg NODE_IMAGE=node@sha256:...
ARG NODE_IMAGE=node:22-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /opt/operant
# The manifest alone first: dependencies are fetched again only when it changes. No install script is needed.
COPY package.json package-lock.json ./
COPY .ci/native-tensorflow/package.json .ci/native-tensorflow/
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM ${NODE_IMAGE} AS operant
ENV NODE_ENV=production
COPY --from=build /opt/operant/package.json /opt/operant/package.json
COPY --from=build /opt/operant/node_modules /opt/operant/node_modules
COPY --from=build /opt/operant/dist /opt/operant/dist
# A user's environment below /project finds `operant` by its name. User 1000 is the image's `node`.
RUN ln -s /opt/operant/dist/src/cli/main.js /usr/local/bin/operant \
 && ln -s /opt/operant/dist/src/cli/train.js /usr/local/bin/train \
 && mkdir -p /project/node_modules /project/runs \
 && ln -s /opt/operant /project/node_modules/operant \
 && chown -R 1000:1000 /project
USER 1000
WORKDIR /project
ENTRYPOINT ["operant"]
CMD ["--help"]

# A node of a Ray cluster: the head with the learner, or a host. Its command comes from whoever starts it (`ray start`, KubeRay).
FROM operant AS ray
# As in src/cluster/launch/launch-options.ts.
ARG RAY_VERSION=2.60.0
USER 0
# wget: KubeRay's probes. Debian removes old versions from its archive, so that pinned ones would stop building.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 python3-venv wget \
 && rm -rf /var/lib/apt/lists/* \
 && python3 -m venv /opt/ray \
 && /opt/ray/bin/pip install --no-cache-dir "ray[default]==${RAY_VERSION}" numpy \
 && ln -s /opt/ray/bin/ray /usr/local/bin/ray \
 && install -d -o 1000 -g 1000 /runs
ENV OPERANT_PYTHON=/opt/ray/bin/python \
    RAY_USAGE_STATS_ENABLED=0
USER 1000
ENTRYPOINT []
CMD ["ray", "--help"]

# Beyond the container it is reached through a published port, so it listens everywhere, and then it wants a token. Kubernetes has probes of its own
# and gives its own command.
FROM operant AS serve
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8000/health/ready').then(({ok}) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["operant", "serve", "--host", "0.0.0.0", "--port", "8000"]
CMD ["--help"]

# What is built where no target is named.
FROM operant
