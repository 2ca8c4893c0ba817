# syntax=docker/dockerfile:1

# Builds the program and its production dependencies.
FROM node:24-trixie-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN node node_modules/typescript/bin/tsc -p tsconfig.build.json \
 && npm prune --omit=dev --ignore-scripts \
 && mkdir -p /rootfs/var/lib/keywarden /rootfs/etc/keywarden

# Node.js and nothing else: no shell, no package manager. Runs as uid 65532.
FROM gcr.io/distroless/nodejs24-debian13:nonroot
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY bin ./bin
COPY policies.example.yaml policies.schema.json ./
COPY --from=build --chown=65532:65532 /rootfs/ /

# The root file system may be read-only; the state is the one thing that is written.
VOLUME /var/lib/keywarden
ENV NODE_ENV=production \
    KEYWARDEN_POLICY=/etc/keywarden/policies.yaml \
    KEYWARDEN_STATE=/var/lib/keywarden/keywarden.db \
    KEYWARDEN_LISTEN=127.0.0.1:8080
USER 65532:65532

# Healthy while the loop goes round, whatever the vendor's API does. KEYWARDEN_LISTEN=off has no health to ask for.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
  CMD ["/nodejs/bin/node", "-e", "const l=process.env.KEYWARDEN_LISTEN;if(l==='off')process.exit(0);const u=new URL('http://'+l);u.hostname=['0.0.0.0','[::]'].includes(u.hostname)?'127.0.0.1':u.hostname;fetch(new URL('/healthz',u)).then(r=>process.exit(r.ok?0:1),()=>process.exit(1))"]

STOPSIGNAL SIGTERM
ENTRYPOINT ["/nodejs/bin/node", "/app/bin/keywarden.js"]
CMD ["run"]
