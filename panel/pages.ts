import type { Request, RequestHandler, Response } from 'express';

import { escapeHtml, hashOf, pageStyle } from '#platform/html.js';

const contentSecurityPolicy = [
  `default-src 'none'`,
  `style-src ${hashOf(pageStyle)}`,
  `form-action 'none'`,
  `base-uri 'none'`,
  `frame-ancestors 'none'`,
].join('; ');

const notFoundPage = page(
  'There is no such page',
  '<p>Perhaps the address was not copied whole.</p><nav><a href="/">To the console</a></nav>',
);

/** Whatever nobody has answered: a page for people, JSON for programs. */
export const showNotFound: RequestHandler = (request, response) => {
  if (prefersHtml(request)) sendPage(response, 404, notFoundPage);
  else response.status(404).json({ error: 'Not found' });
};

export function prefersHtml(request: Request): boolean {
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
