import type { ServerResponse } from 'node:http';

import { existing } from '../http/operation.js';
import { dateText, moneyText } from '../invoice/money.js';
import type { Subscription } from '../store/stored.js';
import { productName } from '../subscription/items.js';
import type { Change } from '../subscription/parameters.js';
import type { World } from '../world.js';
import { cardChoice, html, nothing, problem, sendPage } from './layout.js';

/** In flexible billing mode Stripe's portal names the day on which a subscription ends, in classic mode the end of the period. */
export function portalChange(
  { billing_mode: mode, cancel_at_period_end: atEnd, items }: Subscription,
  ends: boolean,
): Change {
  if (mode.type === 'classic' || (!ends && atEnd)) return { cancel_at_period_end: ends };
  const periodEnd = Math.max(...items.data.map((item) => item.current_period_end));
  return { cancel_at: ends ? periodEnd : null };
}

/** Where a customer looks after their subscription: ends it or keeps it, changes the card, sees invoices. */
export function portalPage(
  world: World,
  id: string,
  response: ServerResponse,
  error: string | undefined,
): void {
  const session = existing(world, 'billing_portal.session', id);
  const customer = existing(world, 'customer', session.customer);
  const card = world.store.get(
    'payment_method',
    String(customer.invoice_settings.default_payment_method),
  )?.card;
  const subscriptions = world.store
    .all('subscription')
    .filter((one) => one.customer === customer.id && one.ended_at === null);
  const invoices = world.store
    .all('invoice')
    .filter((one) => one.customer === customer.id && one.status !== 'draft');
  sendPage(
    response,
    error === undefined ? 200 : 402,
    'Billing',
    html`${problem(error)}
      <p>${customer.email ?? customer.id}, ${card ? `${card.brand} ending in ${card.last4}` : 'no card'}</p>
      <form method="post">${cardChoice}<button name="do" value="card">Use this card</button></form>
      ${subscriptions.map((one) => {
        const names = one.items.data.map((item) => productName(world, item)).join(', ');
        const end = dateText(one.items.data[0]?.current_period_end ?? 0);
        const [action, words] =
          one.cancel_at === null ? ['cancel', 'Cancel at the end of the period'] : ['keep', "Don't cancel"];
        return html`<h2>${names}</h2>
          <p>${one.status}, until ${end}</p>
          <form method="post">
            <input type="hidden" name="subscription" value="${one.id}" /><button name="do" value="${action}">
              ${words}
            </button>
          </form>`;
      })}
      <h2>Invoices</h2>
      <ul>
        ${invoices.map((one) => html`<li><a href="${one.hosted_invoice_url ?? ''}">${one.number ?? ''}</a> ${moneyText(one.total, one.currency)} ${one.status ?? ''}</li>`)}
      </ul>
      ${session.return_url === null ? nothing : html`<nav><a href="${session.return_url}">Back</a></nav>`}`,
  );
}
