import type { IncomingMessage, ServerResponse } from 'node:http';

import { completeSession } from '../checkout/complete.js';
import { attach, paymentMethodNamed } from '../customer/payment-method.js';
import { StripeError } from '../errors.js';
import { readBody } from '../http/body.js';
import { existing } from '../http/operation.js';
import { moneyText } from '../invoice/money.js';
import { methodForPage, payOnPage } from '../payment/on-page.js';
import { confirmOnPage } from '../payment/operations.js';
import { updateSubscription } from '../subscription/update.js';
import type { World } from '../world.js';
import { cardChoice, html, nothing, problem, redirect, sendPage } from './layout.js';
import { creditNotePdf, invoicePdf } from './pdf.js';
import { portalChange, portalPage } from './portal.js';

interface Visit {
  world: World;
  id: string;
  form: URLSearchParams;
  response: ServerResponse;
  /** What went wrong with the form that was sent. */
  error?: string | undefined;
}

interface Page {
  show: (visit: Visit) => void;
  /** What a form does; returns where to go on, or nothing to show the page again. */
  act?: (visit: Visit) => string | undefined;
}

const pages: Record<string, Page> = {
  checkout: {
    show: ({ world, id, response, error }) => {
      const session = existing(world, 'checkout.session', id);
      if (session.status !== 'open')
        return sendPage(
          response,
          410,
          'Checkout',
          html`<p>This checkout is ${session.status ?? 'over'}.</p>`,
        );
      const lines = session.line_items?.data ?? [];
      sendPage(
        response,
        error === undefined ? 200 : 402,
        'Checkout',
        html`${problem(error)}
          <ul>
            ${lines.map((line) => html`<li>${line.quantity ?? 1} × ${line.description ?? ''}: ${moneyText(line.amount_total, line.currency)} a ${line.price?.recurring?.interval ?? ''}</li>`)}
          </ul>
          <p>
            Due today: <strong>${moneyText(session.amount_total ?? 0, session.currency ?? 'usd')}</strong>
          </p>
          <form method="post">
            ${cardChoice}<button name="do" value="pay">Subscribe</button>
            ${session.cancel_url === null ? nothing : html`<button name="do" value="cancel">Back</button>`}
          </form>`,
      );
    },
    act: ({ world, id, form }) => {
      const before = existing(world, 'checkout.session', id);
      if (form.get('do') === 'cancel') return before.cancel_url ?? undefined;
      const session = world.transact(() => completeSession(world, id, form.get('card') ?? ''));
      return session.success_url?.replaceAll('{CHECKOUT_SESSION_ID}', session.id);
    },
  },
  portal: {
    show: ({ world, id, response, error }) => portalPage(world, id, response, error),
    act: ({ world, id, form }) => {
      const session = existing(world, 'billing_portal.session', id);
      const chosen = form.get('subscription') ?? '';
      world.transact(() => {
        if (form.get('do') === 'card') {
          const method = attach(
            world,
            paymentMethodNamed(world, form.get('card') ?? '', 'card'),
            session.customer,
          );
          methodForPage(world, session.customer, method.id);
        } else {
          const subscription = existing(world, 'subscription', chosen);
          if (subscription.customer === session.customer)
            updateSubscription(world, chosen, portalChange(subscription, form.get('do') === 'cancel'));
        }
      });
      return undefined;
    },
  },
  invoice: {
    show: ({ world, id, response, error }) => {
      const invoice = existing(world, 'invoice', id);
      const lines = invoice.lines.data;
      sendPage(
        response,
        error === undefined ? 200 : 402,
        `Invoice ${invoice.number ?? ''}`,
        html`${problem(error)}
          <ul>
            ${lines.map((line) => html`<li>${line.description ?? ''}: ${moneyText(line.amount, line.currency)}</li>`)}
          </ul>
          <p>
            Total ${moneyText(invoice.total, invoice.currency)}, due
            ${moneyText(invoice.amount_remaining, invoice.currency)}. ${invoice.status ?? ''}
          </p>
          ${invoice.status === 'open' ? html`<form method="post">${cardChoice}<button name="do" value="pay">Pay</button></form>` : nothing}
          <nav><a href="${invoice.invoice_pdf ?? ''}">Download</a></nav>`,
      );
    },
    act: ({ world, id, form }) => {
      world.transact(() => payOnPage(world, id, form.get('card') ?? ''));
      return undefined;
    },
  },
  confirm: {
    show: ({ world, id, response }) => {
      const intent = existing(world, 'payment_intent', id);
      const isOpen = intent.status === 'requires_action';
      sendPage(
        response,
        200,
        'Confirm a payment',
        html`<p>${moneyText(intent.amount, intent.currency)}: ${intent.status}</p>
          ${isOpen ? html`<form method="post"><button name="do" value="confirm">Confirm</button></form>` : nothing}`,
      );
    },
    act: ({ world, id }) => {
      world.transact(() => confirmOnPage(world, id));
      return undefined;
    },
  },
};

/** Answers the pages that people see: checkout, portal, invoices, confirmations. */
export async function servePage(
  world: World,
  saved: () => Promise<void>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [, , , name = '', id = '', more] = new URL(request.url ?? '/', 'http://localhost').pathname.split(
    '/',
  );
  const page = Object.hasOwn(pages, name) ? pages[name] : undefined;
  const form = new URLSearchParams(await readBody(request));
  try {
    if (name === 'credit_note' && more === 'pdf') return creditNotePdf(world, id, response);
    if (name === 'invoice' && more === 'pdf') return invoicePdf(world, id, response);
    if (!page) return sendPage(response, 404, 'Not found', nothing);
    const visit = { world, id, form, response };
    if (request.method !== 'POST' || !page.act) return page.show(visit);
    try {
      const next = page.act(visit);
      await saved();
      redirect(response, next ?? request.url ?? '/');
    } catch (error) {
      if (!(error instanceof StripeError)) throw error;
      page.show({ ...visit, error: error.message });
    }
  } catch (error) {
    if (!(error instanceof StripeError)) throw error;
    sendPage(response, error.status, 'This does not work', problem(error.message));
  }
}
