import type { IncomingMessage, ServerResponse } from 'node:http';

import { z } from 'zod';

import { readBody } from './http/api.js';
import { fault, type Faults } from './http/faults.js';
import type { World } from './world.js';

export interface ControlParts {
  world: World;
  faults: Faults;
  counts: Map<string, number>;
}

type Control = (parts: ControlParts, body: unknown) => object;

const soldOut = z.strictObject({ sizes: z.array(z.string()) });

/** What tests and the demo may do to the stand-in, beside the provider's API. Bodies and answers are JSON. */
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
  'PUT /_sandbox/sold-out': ({ world }, body) => {
    const { sizes } = soldOut.parse(body);
    world.soldOut.clear();
    for (const size of sizes) world.soldOut.add(size);
    return { sizes };
  },
  'GET /_sandbox/requests': ({ counts }) => Object.fromEntries(counts),
};

export async function serveControl(
  parts: ControlParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const control = controls[`${request.method} ${new URL(request.url ?? '/', 'http://localhost').pathname}`];
  const body = await readBody(request);
  const answer = (status: number, what: object) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(what, null, 2));
  };
  try {
    if (!control) return answer(404, { error: 'there is no such control', controls: Object.keys(controls) });
    answer(200, control(parts, body === '' ? {} : JSON.parse(body)));
  } catch (error) {
    answer(400, { error: error instanceof z.ZodError ? z.prettifyError(error) : String(error) });
  }
}
