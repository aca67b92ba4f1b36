import { createHash } from 'node:crypto';

import { escapeHtml as escape } from '#platform/html.js';

import type { AuthorizationPreflight } from '../oauth.inputs.js';
import { type Brand, brandHeader, brandStyle, brandSupport } from './brand.js';

const style = `
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; min-height: 100vh; display: grid; place-items: center;
  background: light-dark(#f3f5f8, #14171c); color: light-dark(#1b2330, #e7ebf2); }
main { width: min(24rem, calc(100vw - 2rem)); box-sizing: border-box; padding: 2rem; border-radius: 12px;
  background: light-dark(#fff, #1e232b); box-shadow: 0 1px 3px #0003, 0 8px 30px #0002; }
h1 { font-size: 1.25rem; margin: 0 0 1rem; }
p { margin: .5rem 0; }
ul { margin: .5rem 0 1rem; padding-left: 1.25rem; }
label { display: block; margin: 1rem 0; font-weight: 600; }
input { display: block; width: 100%; box-sizing: border-box; margin-top: .25rem; padding: .6rem .7rem; font: inherit;
  font-weight: 400; border: 1px solid light-dark(#b6bfcc, #4a5361); border-radius: 8px; background: transparent; color: inherit; }
button { padding: .6rem 1rem; font: inherit; font-weight: 600; border-radius: 8px; border: 1px solid #2458d3;
  background: #2458d3; color: #fff; cursor: pointer; }
button.quiet { background: transparent; color: inherit; border-color: light-dark(#b6bfcc, #4a5361); }
.row { display: flex; gap: .75rem; margin-top: 1.25rem; }
.row button { flex: 1; }
.error { padding: .6rem .7rem; border-radius: 8px; background: light-dark(#fdecec, #4a1f22); }
.node { padding: .6rem .7rem; border-radius: 8px; background: light-dark(#eef2fb, #262e3d); overflow-wrap: anywhere; }
.small { font-size: .875rem; color: light-dark(#566072, #a3adbd); }
.small button { padding: 0; border: 0; background: none; color: inherit; font-weight: 400; text-decoration: underline; }
`;

/**
 * The policy of every page: no script, no frame, nothing from elsewhere. `formTarget` is the origin that a form's
 * answer redirects to, since browsers hold the redirect against form-action as well. A brand brings its colour and
 * the panel's copy of its logo.
 */
export function contentSecurityPolicy(brand?: Brand, formTarget?: string): string {
  const styleHash = createHash('sha256').update(styleOf(brand)).digest('base64');
  return [
    `default-src 'none'`,
    `style-src 'sha256-${styleHash}'`,
    ...(brand?.logoPath ? [`img-src 'self'`] : []),
    `form-action 'self'${formTarget === undefined ? '' : ` ${formTarget}`}`,
    `base-uri 'none'`,
    `frame-ancestors 'none'`,
  ].join('; ');
}

export interface Form {
  csrf: string;
  /** Why the last attempt failed. */
  problem?: string | undefined;
  /** How the node's tenant presents itself; the panel's own name without. */
  brand?: Brand | undefined;
}

export function loginPage({ csrf, problem, brand, email = '' }: Form & { email?: string }): string {
  return page(
    `Sign in with ${brand?.companyName ?? 'Quazzar Cloud'}`,
    `${problemText(problem)}
<form method="post">
  ${hidden({ csrf, step: 'login' })}
  <label>E-mail <input name="email" type="email" required autofocus autocomplete="username" value="${escape(email)}"></label>
  <label>Password <input name="password" type="password" required autocomplete="current-password"></label>
  <div class="row"><button>Sign in</button></div>
</form>
<p class="small"><a href="/account/forgot-password">Forgot your password?</a></p>`,
    brand,
  );
}

export function codePage({
  csrf,
  problem,
  brand,
  challengeToken,
}: Form & { challengeToken: string }): string {
  return page(
    brand ? `Enter your code for ${brand.companyName}` : 'Enter your code',
    `${problemText(problem)}
<form method="post">
  ${hidden({ csrf, step: 'code', challenge_token: challengeToken })}
  <label>Code from your authenticator app, or a recovery code
    <input name="code" required autofocus autocomplete="one-time-code" spellcheck="false"></label>
  <div class="row"><button>Continue</button></div>
</form>`,
    brand,
  );
}

export function consentPage({
  csrf,
  preflight,
  brand,
}: Form & { preflight: AuthorizationPreflight }): string {
  const { client, user, consentId, redirectUri } = preflight;
  return page(
    brand ? `Sign in to ${client.name} with ${brand.companyName}?` : `Sign in to ${client.name}?`,
    `<p class="node"><strong>${escape(client.name)}</strong><br>${escape(client.hostname)}</p>
<p>This node wants to sign you in as <strong>${escape(user.email)}</strong>. It will get to know:</p>
<ul><li>your name and e-mail address</li><li>your organization and your role in it</li></ul>
<form method="post">
  ${hidden({ csrf, step: 'consent', consent_id: consentId })}
  <div class="row">
    <button name="approve" value="yes">Allow</button>
    <button name="approve" value="no" class="quiet">Cancel</button>
  </div>
</form>
<p class="small">You go on to ${escape(new URL(redirectUri).origin)}.</p>
<form method="post" class="small">${hidden({ csrf, step: 'leave' })}<button>Use another account</button></form>`,
    brand,
  );
}

export function problemPage(problem: string, more: { csrf?: string } = {}): string {
  const leave = more.csrf
    ? `<form method="post" class="small">${hidden({ csrf: more.csrf, step: 'leave' })}<button>Use another account</button></form>`
    : '';
  return page(
    'This sign-in cannot go on',
    `${problemText(problem)}<p>Go back to your node and start again.</p>${leave}`,
  );
}

function styleOf(brand: Brand | undefined): string {
  return brand ? style + brandStyle(brand) : style;
}

function page(title: string, body: string, brand?: Brand): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escape(title)}</title>
<style>${styleOf(brand)}</style>
<main>
${brand ? brandHeader(brand) : ''}<h1>${escape(title)}</h1>
${body}
${brand ? brandSupport(brand) : ''}</main>
</html>
`;
}

function problemText(problem: string | undefined): string {
  return problem === undefined ? '' : `<p class="error" role="alert">${escape(problem)}</p>`;
}

function hidden(fields: Record<string, string>): string {
  return Object.entries(fields)
    .map(([name, value]) => `<input type="hidden" name="${name}" value="${escape(value)}">`)
    .join('');
}
