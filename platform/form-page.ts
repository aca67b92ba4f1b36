import type { RequestHandler } from 'express';

import { escapeHtml, hashOf, inlineJson, pageStyle } from './html.js';

export interface PageLink {
  href: string;
  text: string;
}

/** What a page does about the token of its link before anything is filled in. */
export interface FormPageLink {
  /** Asks for the state of `$token`, as `reply`: OPEN, USED, EXPIRED or UNKNOWN. Without it only a missing token is told. */
  query?: string;
  /** Where to go on when the link does not work. */
  instead?: PageLink;
}

export interface FormPage {
  title: string;
  form: string;
  /** Sent with the token of the link, and what was filled in of the form. */
  mutation: string;
  /** The part of the input that takes what was filled in, where that is not the input itself. */
  fieldsAre?: string;
  /** Of a page that is opened by a secret link; absent where anybody may come. */
  link?: FormPageLink;
  done: string;
  /** Where to go on when it is done. */
  onward?: readonly PageLink[];
}

const states = {
  MISSING: 'This link is not whole. Copy all of it from the mail or the log, up to its end.',
  USED: 'This link was used before, or a newer one has taken its place.',
  EXPIRED: 'This link has ended.',
  UNKNOWN: 'This link is not valid.',
};

// The token is in the fragment, which browsers send to nobody; the page's script hands it to the mutation. A mail
// scanner that opens the link uses nothing up, since it presses no button, and asking for the state uses nothing up.
const script = ({ mutation, fieldsAre, link, done, onward = [] }: FormPage) => `
const form = document.querySelector('form');
const output = document.querySelector('output');
const onward = document.querySelector('nav');
const token = () => new URLSearchParams(location.hash.slice(1)).get('token') ?? '';
const ask = (query, variables) => fetch('/graphql', {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ query, variables }),
}).then((response) => response.json());
const say = (text, links) => {
  output.textContent = text;
  onward.replaceChildren(...links.map(({ href, text }) => Object.assign(document.createElement('a'), { href, textContent: text })));
};
${link ? linkScript(link) : ''}
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const fields = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ''));
  const input = { ...${fieldsAre ? `{ ${fieldsAre}: fields }` : 'fields'}${link ? ', token: token()' : ''} };
  const button = form.querySelector('button');
  button.disabled = true;
  const unreached = { errors: [{ message: 'The panel could not be reached. Try again.' }] };
  const answer = await ask(${inlineJson(mutation)}, { input }).catch(() => unreached);
  button.disabled = false;
  const [error] = answer.errors ?? [];
  if (error) say(Object.values(error.extensions?.details ?? {}).join('. ') || error.message, []);
  else say(${inlineJson(done)}, ${inlineJson(onward)});
  if (!error) form.hidden = true;
});
`;

const linkScript = ({ query, instead }: FormPageLink) => `
const states = ${inlineJson(states)};
const look = async () => {
  const asked = token();
  form.hidden = false;
  say('', []);
  const state = asked === '' ? 'MISSING' : ${
    query === undefined
      ? `'OPEN'`
      : `(await ask(${inlineJson(query)}, { token: asked }).catch(() => undefined))?.data?.reply`
  };
  if (asked !== token() || !Object.hasOwn(states, state ?? '')) return;
  form.hidden = true;
  say(states[state], ${inlineJson(instead ? [instead] : [])});
};
// Another link that is opened in the same tab changes the fragment only.
addEventListener('hashchange', look);
look();
`;

/** A page for people without a session: one form, and the mutation it sends. */
export function formPage(page: FormPage): RequestHandler {
  const code = script(page);
  const policy = [
    `default-src 'none'`,
    `script-src ${hashOf(code)}`,
    `style-src ${hashOf(pageStyle)}`,
    `connect-src 'self'`,
    `form-action 'none'`,
    `base-uri 'none'`,
    `frame-ancestors 'none'`,
  ].join('; ');
  const title = escapeHtml(page.title);
  const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>${pageStyle}</style>
<main>
<h1>${title}</h1>
<noscript><p>This page needs JavaScript: it keeps the secret of your link from servers on the way.</p></noscript>
<form>
  ${page.form}
</form>
<output></output>
<nav></nav>
</main>
<script>${code}</script>
</html>
`;
  return (_request, response) => {
    response.setHeader('Content-Security-Policy', policy);
    response.setHeader('Cache-Control', 'no-store');
    response.type('html').send(html);
  };
}
