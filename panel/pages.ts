import type { Request, RequestHandler, Response } from 'express';

import { escapeHtml, hashOf, pageStyle } from '#platform/html.js';

/** Where people go from the start page. The paths are those of this panel. */
const ways: readonly { href: string; text: string; about: string }[] = [
  {
    href: '/graphql',
    text: 'GraphiQL',
    about:
      'The whole API, with its documentation, to read and to try. Sign in there with the mutation <code>login</code>, and ' +
      'put its <code>accessToken</code> into the header <code>Authorization</code>.',
  },
  {
    href: '/account/forgot-password',
    text: 'Forgot your password?',
    about: 'A link for choosing a new one is mailed to you.',
  },
  {
    href: '/.well-known/openid-configuration',
    text: 'OpenID configuration',
    about: 'What programs need to know to sign people in with this panel.',
  },
];

const contentSecurityPolicy = [
  `default-src 'none'`,
  `style-src ${hashOf(pageStyle)}`,
  `form-action 'none'`,
  `base-uri 'none'`,
  `frame-ancestors 'none'`,
].join('; ');

const startPage = page(
  'Quazzar Control Panel',
  `<p>This is the control panel of a fleet of Cloud OS servers: it knows how they are, and signs people in to them.</p>
<dl>
${ways.map(({ href, text, about }) => `<dt><a href="${href}">${escapeHtml(text)}</a></dt><dd>${about}</dd>`).join('\n')}
<dt>Signing in to a server</dt><dd>Open the server's own address: it brings you here and back.</dd>
<dt>A new panel</dt><dd>Its log has the link by which the first administrator is made.</dd>
<dt>REST</dt><dd>The routes under <code>/api</code> take the same tokens.</dd>
</dl>`,
);

const notFoundPage = page(
  'There is no such page',
  '<p>Perhaps the address was not copied whole.</p><nav><a href="/">To the start page</a></nav>',
);

/** What the panel says of itself to a browser that comes to its address. Everybody else gets what unknown paths get. */
export const showStart: RequestHandler = (request, response, next) => {
  if (prefersHtml(request)) sendPage(response, 200, startPage);
  else next();
};

/** Whatever nobody has answered: a page for people, JSON for programs. */
export const showNotFound: RequestHandler = (request, response) => {
  if (prefersHtml(request)) sendPage(response, 404, notFoundPage);
  else response.status(404).json({ error: 'Not found' });
};

function prefersHtml(request: Request): boolean {
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  return isRead && request.accepts(['application/json', 'text/html']) === 'text/html';
}

function sendPage(response: Response, status: number, html: string): void {
  response.setHeader('Content-Security-Policy', contentSecurityPolicy);
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('Vary', 'Accept');
  response.status(status).type('html').send(html);
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title>
<style>${pageStyle}</style>
<h1>${escapeHtml(title)}</h1>
${body}
</html>
`;
}
