import type { IncomingMessage } from 'node:http';

const mostBytes = 1_000_000;

/** A request's body as text; one that is too long ends the connection. */
export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += (chunk as Buffer).length;
    if (length > mostBytes) {
      request.destroy();
      throw new Error('a request is too long');
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString();
}
