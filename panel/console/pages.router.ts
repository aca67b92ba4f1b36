import { existsSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';

import { Router, static as serveStatic, type RequestHandler } from 'express';

import { hashOf } from '#platform/html.js';
import { assetPath } from '#platform/package-root.js';

import { prefersHtml } from '../pages.js';

/** What React Aria puts into the page: a style for what can be pressed, and one while a dialog is open. */
const stylesOfComponents = [
  '@layer {\n  [data-react-aria-pressable] {\n    touch-action: pan-x pan-y pinch-zoom;\n  }\n}',
  '@layer {\n  * {\n    overscroll-behavior: contain;\n  }\n}',
];

const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  `style-src 'self' ${stylesOfComponents.map(hashOf).join(' ')}`,
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Below these are programs' paths: a page that nobody else has is none of the console's. */
const notPages = /^\/(api|graphql|graphiql|console|assets|oauth|account|setup|\.well-known)(\/|$)/;

const folder = assetPath('dist', 'web');

/** The console's files. */
export function createAssetsRouter(): Router {
  const forever = { index: false, fallthrough: true, immutable: true, maxAge: '365d', redirect: false };
  return Router().use('/assets', compressed(`${folder}/assets`), serveStatic(`${folder}/assets`, forever));
}

/** The console's page for every address that nobody else has answered. Comes after all else. */
export function createConsoleRouter(): Router {
  let page: string | undefined;
  const router = Router();
  router.get('/{*path}', (request, response, next) => {
    if (notPages.test(request.path) || !prefersHtml(request)) return next();
    // Read when it is asked for: a process that serves no browser needs no build of it.
    page ??= readFileSync(`${folder}/index.html`, 'utf8');
    response.setHeader('Content-Security-Policy', contentSecurityPolicy);
    response.setHeader('Cache-Control', 'no-cache');
    response.setHeader('Vary', 'Accept');
    response.type('html').send(page);
  });
  return router;
}

const endings: Record<string, string> = { br: '.br', gzip: '.gz' };

/** Hands out the file that the build has compressed, to whoever takes it so. */
function compressed(folder: string): RequestHandler {
  return (request, response, next) => {
    const { path } = request;
    if (!/^\/[\w.-]+\.(js|css|svg)$/.test(path)) return next();
    response.vary('Accept-Encoding');
    const encoding = request.acceptsEncodings(['br', 'gzip', 'identity']) || 'identity';
    const ending = endings[encoding];
    if (ending !== undefined && existsSync(`${folder}${path}${ending}`)) {
      response.type(extname(path)).setHeader('Content-Encoding', encoding);
      request.url = path + ending;
    }
    next();
  };
}
