import type { IncomingMessage, ServerResponse } from 'node:http';

import { z } from 'zod';

import { readBody } from '../http/body.js';
import { fault, type Faults } from '../http/faults.js';
import type { BillingSettings } from '../settings.js';
import type { Deliveries, DeliverySettings } from '../webhook/delivery.js';

export interface ControlParts {
  faults: Faults;
  deliveries: Deliveries;
  settings: BillingSettings;
  /** What is due has to be looked at anew. */
  settingsChanged: () => void;
}

const delivery = z
  .strictObject({
    order: z.enum(['as_happened', 'reversed', 'shuffled']),
    copies: z.int().min(0).max(10),
    isHeld: z.boolean(),
    lose: z.int().min(0),
    retryAfterSeconds: z.array(z.int().min(0)),
  })
  .partial();

const billing = z
  .strictObject({
    retryAfterDays: z.array(z.number().min(0)),
    whenRetriesFail: z.enum(['cancel', 'mark_unpaid', 'leave_past_due']),
    draftSeconds: z.int().min(0),
    incompleteSeconds: z.int().min(1),
    trialWarningSeconds: z.int().min(0),
    checkoutSeconds: z.int().min(1),
  })
  .partial();

const release = z.strictObject({ events: z.array(z.string()).optional() });

type Control = (parts: ControlParts, body: unknown) => object;

/** What tests and the demo may do to the stand-in, beside Stripe's API. Bodies and answers are JSON. */
const controls: Record<string, Control> = {
  'POST /_sandbox/faults': ({ faults }, body) => {
    faults.add(fault.parse(body));
    return { faults: faults.list() };
  },
  'GET /_sandbox/faults': ({ faults }) => ({ faults: faults.list() }),
  'DELETE /_sandbox/faults': ({ faults }) => {
    faults.clear();
    return { faults: [] };
  },
  'GET /_sandbox/webhooks': ({ deliveries }) => ({
    ...deliveries.settings,
    held: deliveries.held().map(({ id, type }) => ({ id, type })),
  }),
  'POST /_sandbox/webhooks': ({ deliveries }, body) => {
    deliveries.settings = { ...deliveries.settings, ...(delivery.parse(body) as Partial<DeliverySettings>) };
    return deliveries.settings;
  },
  'POST /_sandbox/webhooks/release': ({ deliveries }, body) => {
    deliveries.release(release.parse(body).events);
    return deliveries.settings;
  },
  'GET /_sandbox/settings': ({ settings }) => settings,
  'POST /_sandbox/settings': ({ settings, settingsChanged }, body) => {
    Object.assign(settings, billing.parse(body));
    settingsChanged();
    return settings;
  },
};

export async function serveControl(
  parts: ControlParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const control = controls[`${request.method} ${new URL(request.url ?? '/', 'http://localhost').pathname}`];
  const body = await readBody(request);
  try {
    if (!control)
      return answer(response, 404, { error: 'there is no such control', controls: Object.keys(controls) });
    answer(response, 200, control(parts, body === '' ? {} : JSON.parse(body)));
  } catch (error) {
    const message = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    answer(response, 400, { error: message });
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body, null, 2));
}
