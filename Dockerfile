# Operant on a CPU (the simd engine), the same everywhere.
#
#   docker build -t operant .
#   docker run --rm --init -v "$PWD/runs:/project/runs" operant train --env CartPole-v1
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

FROM ${NODE_IMAGE}
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
