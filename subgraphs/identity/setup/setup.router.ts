import { createHash } from 'node:crypto';

import { Router } from 'express';

// The token is in the fragment, which browsers send to nobody; the page's script hands it to the mutation.
const script = `
const form = document.querySelector('form');
const output = document.querySelector('output');
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const account = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ''));
  const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';
  const query = 'mutation($input: CompleteSetupInput!) { completeSetup(input: $input) { user { email } } }';
  const answer = await fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables: { input: { token, account } } }),
  }).then((response) => response.json());
  const [error] = answer.errors ?? [];
  output.textContent = error
    ? Object.values(error.extensions?.details ?? {}).join('. ') || error.message
    : 'Done. Sign in as ' + answer.data.completeSetup.user.email + '.';
  if (!error) form.hidden = true;
});
`;

const style = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 26rem; margin: 4rem auto; padding: 0 1rem; }
label { display: block; margin: 1rem 0; }
input { display: block; width: 100%; box-sizing: border-box; padding: .5rem; font: inherit; }
button { padding: .5rem 1rem; font: inherit; }
`;

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Set up the Control Panel</title>
<style>${style}</style>
<h1>Set up the Control Panel</h1>
<form>
  <label>Your name <input name="name" required autocomplete="name"></label>
  <label>Organization <input name="company" autocomplete="organization"></label>
  <label>E-mail <input name="email" type="email" required autocomplete="username"></label>
  <label>Password <input name="password" type="password" required minlength="12" autocomplete="new-password"></label>
  <button>Make the administrator</button>
</form>
<output></output>
<script>${script}</script>
</html>
`;

const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

const policy = [
  `default-src 'none'`,
  `script-src ${hashOf(script)}`,
  `style-src ${hashOf(style)}`,
  `connect-src 'self'`,
  `form-action 'none'`,
  `base-uri 'none'`,
  `frame-ancestors 'none'`,
].join('; ');

/** The page behind the one-time set-up link. */
export function createSetupRouter(): Router {
  const router = Router();
  router.get('/setup', (_request, response) => {
    response.setHeader('Content-Security-Policy', policy);
    response.setHeader('Cache-Control', 'no-store');
    response.type('html').send(page);
  });
  return router;
}
