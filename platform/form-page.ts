import { createHash } from 'node:crypto';

import type { RequestHandler } from 'express';

const style = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 26rem; margin: 4rem auto; padding: 0 1rem; }
label { display: block; margin: 1rem 0; }
input { display: block; width: 100%; box-sizing: border-box; padding: .5rem; font: inherit; }
button { padding: .5rem 1rem; font: inherit; }
`;

export interface FormPage {
  title: string;
  form: string;
  /** Sent with the token of the link, and what was filled in of the form. */
  mutation: string;
  /** The part of the input that takes what was filled in, where that is not the input itself. */
  fieldsAre?: string;
  done: string;
}

// The token is in the fragment, which browsers send to nobody; the page's script hands it to the mutation. A mail
// scanner that opens the link uses nothing up, since it presses no button.
const script = ({ mutation, fieldsAre, done }: FormPage) => `
const form = document.querySelector('form');
const output = document.querySelector('output');
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';
  const fields = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ''));
  const input = { ...${fieldsAre ? `{ ${fieldsAre}: fields }` : 'fields'}, token };
  const answer = await fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: ${JSON.stringify(mutation)}, variables: { input } }),
  }).then((response) => response.json());
  const [error] = answer.errors ?? [];
  output.textContent = error
    ? Object.values(error.extensions?.details ?? {}).join('. ') || error.message
    : ${JSON.stringify(done)};
  if (!error) form.hidden = true;
});
`;

/** A page behind a secret link, for people without a session: one form, and the mutation it sends. */
export function formPage(page: FormPage): RequestHandler {
  const code = script(page);
  const policy = [
    `default-src 'none'`,
    `script-src ${hashOf(code)}`,
    `style-src ${hashOf(style)}`,
    `connect-src 'self'`,
    `form-action 'none'`,
    `base-uri 'none'`,
    `frame-ancestors 'none'`,
  ].join('; ');
  const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${page.title}</title>
<style>${style}</style>
<h1>${page.title}</h1>
<form>
  ${page.form}
</form>
<output></output>
<script>${code}</script>
</html>
`;
  return (_request, response) => {
    response.setHeader('Content-Security-Policy', policy);
    response.setHeader('Cache-Control', 'no-store');
    response.type('html').send(html);
  };
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
