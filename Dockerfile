# The server without a database of its own. docker-compose.yml runs it with a PostgreSQL that has pgvector.
FROM node:20-slim AS build

WORKDIR /app
# Packages change less often than the code, so their layer stays in the cache.
COPY package.json package-lock.json .npmrc ./
RUN npm ci

COPY tsconfig.json ./
COPY build ./build
COPY schema ./schema
COPY resolvers ./resolvers
COPY src ./src
COPY demo ./demo
RUN npm run build

FROM node:20-slim

WORKDIR /app
ENV NODE_ENV=production

COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev && npm cache clean --force

COPY bin ./bin
COPY drizzle ./drizzle
COPY --from=build /app/dist ./dist

# Holds the converted embedding model, and the embedded database if DATABASE_URL is not set.
RUN mkdir /data && chown node:node /data
VOLUME /data
ENV FUNES_DATA_DIR=/data

# Nobody can reach a container that listens on its own loopback. Other machines can reach this HOST, so requests need a key.
ENV HOST=0.0.0.0 PORT=4000 FUNES_AUTH=keys
EXPOSE 4000

USER node
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/live`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]

CMD ["node", "dist/main.js", "serve"]
