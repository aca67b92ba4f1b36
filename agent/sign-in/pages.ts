import { createHash } from 'node:crypto';

import type { Visit } from '../impersonation/visits.js';
import type { SignedInUser } from './provider.js';

const style = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 32rem; margin: 4rem auto; padding: 0 1rem; }
dt { color: #667; } dd { margin: 0 0 .75rem; font-weight: 600; overflow-wrap: anywhere; }
a.button, button { display: inline-block; padding: .6rem 1rem; border-radius: 8px; border: 0; background: #0b6b4f;
  color: #fff; font: inherit; font-weight: 600; text-decoration: none; cursor: pointer; }
.error { padding: .6rem .8rem; border-radius: 8px; background: #fdecec; color: #5c1a1a; }
`;

export const contentSecurityPolicy = [
  `default-src 'none'`,
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  `form-action 'self'`,
  `base-uri 'none'`,
  `frame-ancestors 'none'`,
].join('; ');

export function welcomePage(node: string, problem?: string): string {
  return page(
    node,
    `${problem === undefined ? '' : `<p class="error" role="alert">${escape(problem)}</p>`}
<p>You are not signed in to this node.</p>
<p><a class="button" href="/login">Sign in with Quazzar Cloud</a></p>`,
  );
}

export function sessionPage(node: string, user: SignedInUser): string {
  return page(
    node,
    `<p>Signed in with Quazzar Cloud.</p>
<dl><dt>Name</dt><dd>${escape(user.name)}</dd><dt>E-mail</dt><dd>${escape(user.email)}</dd>
<dt>Role</dt><dd>${escape(user.role)}</dd><dt>Organization</dt><dd>${escape(user.tenant)}</dd></dl>
<form method="post" action="/logout"><button>Sign out</button></form>`,
  );
}

export function visitPage(node: string, { user, actor, reason }: Visit): string {
  return page(
    node,
    `<p>Opened from the Quazzar Control Panel.</p>
<dl><dt>Name</dt><dd>${escape(user.name)}</dd><dt>E-mail</dt><dd>${escape(user.email)}</dd>
<dt>Acting</dt><dd>${escape(actor)}</dd>${reason === undefined ? '' : `<dt>Reason</dt><dd>${escape(reason)}</dd>`}</dl>
<form method="post" action="/logout"><button>Leave</button></form>`,
  );
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escape(title)}</title>
<style>${style}</style>
<h1>${escape(title)}</h1>
${body}
</html>
`;
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');
}
