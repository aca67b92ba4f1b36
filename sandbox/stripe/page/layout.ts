import type { ServerResponse } from 'node:http';

import { escapeHtml, hashOf, pageStyle } from '#platform/html.js';

/** Text of a page that is already safe to be put into it. */
export class Html {
  constructor(readonly text: string) {}
}

/** HTML whose values are escaped, but for those that are HTML already. */
export function html(
  parts: TemplateStringsArray,
  ...values: (string | number | Html | readonly Html[])[]
): Html {
  const texts = values.map((value) => {
    if (value instanceof Html) return value.text;
    return typeof value === 'object' ? value.map(({ text }) => text).join('') : escapeHtml(String(value));
  });
  return new Html(parts.map((part, index) => part + (texts[index] ?? '')).join(''));
}

export const nothing = new Html('');

/** A page without scripts; its forms go back to where it came from, and lead on by a redirect. */
export function sendPage(response: ServerResponse, status: number, title: string, body: Html): void {
  const name = escapeHtml(title);
  const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${name}</title>
<style>${pageStyle}</style>
<h1>${name}</h1>
<p><small>A stand-in for Stripe. No money moves.</small></p>
${body.text}
</html>
`;
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': `default-src 'none'; style-src ${hashOf(pageStyle)}; base-uri 'none'; frame-ancestors 'none'`,
  });
  response.end(page);
}

export function redirect(response: ServerResponse, to: string): void {
  response.writeHead(303, { location: to, 'cache-control': 'no-store' });
  response.end();
}

const cards = [
  ['pm_card_visa', 'Visa 4242, pays'],
  ['pm_card_mastercard', 'Mastercard 4444, pays'],
  ['pm_card_authenticationRequired', 'Visa 3184, asks for a confirmation'],
  ['pm_card_chargeCustomerFail', 'Visa 0341, is saved and then declines'],
  ['pm_card_visa_chargeDeclinedInsufficientFunds', 'Visa 9995, has insufficient funds'],
] as const;

export const cardChoice = html`<label
  >Card
  <select name="card">
    ${cards.map(([id, text]) => html`<option value="${id}">${text}</option>`)}
  </select></label
>`;

export function problem(message: string | undefined): Html {
  return message === undefined ? nothing : html`<p role="alert"><strong>${message}</strong></p>`;
}
