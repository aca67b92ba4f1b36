import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { Router, static as serveStatic, type Request, type RequestHandler } from 'express';

import { assetPath } from '#platform/package-root.js';

const { resolve } = createRequire(import.meta.url);
const packageFolder = (name: string): string => dirname(resolve(`${name}/package.json`));

/** Everything the page loads, by the name it has under /graphiql/assets. Nothing comes from another site. */
const assets = {
  'react.js': join(packageFolder('react-18'), 'umd/react.production.min.js'),
  'react-dom.js': join(packageFolder('react-dom-18'), 'umd/react-dom.production.min.js'),
  'graphiql.js': join(packageFolder('graphiql'), 'graphiql.min.js'),
  'graphiql.css': join(packageFolder('graphiql'), 'graphiql.min.css'),
  'start.js': assetPath('gateway', 'graphiql', 'start.js'),
  'examples.js': assetPath('gateway', 'graphiql', 'examples.js'),
};

const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  // CodeMirror sets styles on elements.
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width" />
    <title>GraphiQL</title>
    <link rel="icon" href="data:," />
    <link rel="stylesheet" href="/graphiql/assets/graphiql.css" />
    <style>html, body, #graphiql { height: 100%; margin: 0 }</style>
  </head>
  <body>
    <div id="graphiql"></div>
    <script src="/graphiql/assets/react.js"></script>
    <script src="/graphiql/assets/react-dom.js"></script>
    <script src="/graphiql/assets/graphiql.js"></script>
    <script type="module" src="/graphiql/assets/start.js"></script>
  </body>
</html>
`;

/** GraphiQL for browsers at /graphiql, the files of its page, and the way there from where it was. */
export function createGraphiqlRouter(): Router {
  const router = Router();
  router.get('/graphiql', showPage);
  router.get('/graphql', (request, response, next) => {
    if (!prefersHtml(request)) return next();
    response.setHeader('Vary', 'Accept');
    response.redirect(303, request.originalUrl.replace('/graphql', '/graphiql'));
  });
  // The client is an ES module that imports its neighbours by names that change with each release.
  const graphqlWs = dirname(resolve('graphql-ws/client'));
  const options = { index: false, fallthrough: false, maxAge: '1h' };
  router.use('/graphiql/assets/graphql-ws', serveStatic(graphqlWs, options));
  router.get('/graphiql/assets/:name', (request, response, next) => {
    const { name } = request.params;
    if (!Object.hasOwn(assets, name)) {
      next();
      return;
    }
    // A panel may lie under a folder whose name begins with a dot, which of a whole path counts as a hidden file.
    response.sendFile(assets[name as keyof typeof assets], { maxAge: '1h', dotfiles: 'allow' });
  });
  return router;
}

const showPage: RequestHandler = (_request, response) => {
  response.setHeader('content-security-policy', contentSecurityPolicy);
  response.setHeader('x-content-type-options', 'nosniff');
  response.type('html').send(page);
};

function prefersHtml(request: Request): boolean {
  const types = ['application/graphql-response+json', 'application/json', 'text/html'];
  return request.accepts(types) === 'text/html';
}
