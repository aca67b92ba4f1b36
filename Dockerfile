# The panel, every process of it: docker build --tag quazzar-panel .
# What it listens on, where its data is and who it is, is said by settings (.env.example); secrets by NAME_FILE.

FROM node:24.21.0-bookworm-slim AS build
WORKDIR /app
ENV NODE_ENV=development
COPY package.json package-lock.json ./
# With the packages that the build needs; the node package's own Node is not wanted beside the image's.
RUN npm ci --no-audit --no-fund
COPY tsconfig.json ./
COPY schema ./schema
COPY platform ./platform
COPY gateway ./gateway
COPY rest-compat ./rest-compat
COPY subgraphs ./subgraphs
COPY agent ./agent
COPY sandbox ./sandbox
COPY panel ./panel
COPY web ./web
COPY tools/build-console.ts ./tools/build-console.ts
COPY tools/build-programs.ts ./tools/build-programs.ts
COPY tools/made-of.ts ./tools/made-of.ts
RUN npm run build

FROM node:24.21.0-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund && rm -rf node_modules/node /root/.npm

FROM node:24.21.0-bookworm-slim
# git and ssh for GitOps; PostgreSQL 15's own clients for backups.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates git openssh-client postgresql-client-15 \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# Assets are found from the folder of package.json.
COPY package.json LICENSE ./
COPY schema ./schema
COPY gateway/graphiql ./gateway/graphiql
COPY rest-compat/operations ./rest-compat/operations
RUN install --directory --owner=node --group=node --mode=700 /var/lib/quazzar-panel
USER node
ENV NODE_ENV=production HOST=0.0.0.0 PORT=4000 DATA_DIR=/var/lib/quazzar-panel
EXPOSE 4000
# Nothing else is written to; /tmp has to be writable, as a tmpfs.
VOLUME ["/var/lib/quazzar-panel"]
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=6 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:'+(process.env.PORT??4000)+'/healthz').then((r)=>process.exit(r.ok?0:1),()=>process.exit(1))"]
# Not through npm, which would stand between the engine and the panel's signals.
CMD ["node", "--enable-source-maps", "dist/panel/main.js"]
