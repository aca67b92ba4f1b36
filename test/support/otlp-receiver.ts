import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A span as it came over the wire. */
export interface ReceivedSpan {
  service: string;
  traceId: string;
  spanId: string;
  parentId: string;
  name: string;
  kind: number;
  failed: boolean;
  attributes: Record<string, string>;
}

/** Takes traces over OTLP/HTTP in protobuf, as a collector does. */
export class OtlpReceiver implements AsyncDisposable {
  readonly spans: ReceivedSpan[] = [];

  private constructor(private readonly server: Server) {}

  static async start(): Promise<OtlpReceiver> {
    const server = createServer();
    const receiver = new OtlpReceiver(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const isTraces =
          request.url === '/v1/traces' && request.headers['content-type'] === 'application/x-protobuf';
        if (isTraces) receiver.spans.push(...spansIn(Buffer.concat(chunks)));
        response.writeHead(isTraces ? 200 : 404, { 'content-type': 'application/x-protobuf' }).end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  of(traceId: string): ReceivedSpan[] {
    return this.spans.filter((span) => span.traceId === traceId);
  }

  /** The span and those around it, from the inside out. */
  ancestry(span: ReceivedSpan): ReceivedSpan[] {
    const parent = this.spans.find(({ spanId }) => spanId === span.parentId);
    return [span, ...(parent ? this.ancestry(parent) : [])];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

// Numbers of fields, by opentelemetry/proto/trace/v1/trace.proto.
function spansIn(request: Buffer): ReceivedSpan[] {
  return messages(request, 1).flatMap((resourceSpans) => {
    const [resource] = messages(resourceSpans, 1);
    const service = resource ? attributesIn(resource, 1)['service.name'] : undefined;
    return messages(resourceSpans, 2)
      .flatMap((scopeSpans) => messages(scopeSpans, 2))
      .map((span) => ({
        service: service ?? '',
        traceId: bytes(span, 1).toString('hex'),
        spanId: bytes(span, 2).toString('hex'),
        parentId: bytes(span, 4).toString('hex'),
        name: bytes(span, 5).toString(),
        kind: Number(fields(span).get(6)?.[0] ?? 0),
        failed: messages(span, 15).some((status) => fields(status).get(3)?.[0] === 2n),
        attributes: attributesIn(span, 9),
      }));
  });
}

function attributesIn(message: Buffer, field: number): Record<string, string> {
  return Object.fromEntries(
    messages(message, field).map((pair) => {
      const [value = Buffer.alloc(0)] = messages(pair, 2);
      const [[kind = 0, [given] = []] = []] = fields(value);
      return [bytes(pair, 1).toString(), kind === 1 ? (given as Buffer).toString() : String(given)];
    }),
  );
}

const messages = (message: Buffer, field: number) => (fields(message).get(field) ?? []) as Buffer[];
const bytes = (message: Buffer, field: number) => messages(message, field)[0] ?? Buffer.alloc(0);

/** The fields of a protobuf message by number: bytes, or numbers. */
function fields(message: Buffer): Map<number, (Buffer | bigint)[]> {
  const found = new Map<number, (Buffer | bigint)[]>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number) => message.subarray(at, (at += length));
  while (at < message.length) {
    const tag = Number(varint());
    const read: Record<number, () => Buffer | bigint> = {
      0: varint,
      1: () => take(8).readBigUInt64LE(),
      2: () => take(Number(varint())),
      5: () => BigInt(take(4).readUInt32LE()),
    };
    const value = read[tag & 7]?.();
    if (value === undefined) throw new Error(`not a protobuf message: wire type ${tag & 7}`);
    found.set(tag >> 3, [...(found.get(tag >> 3) ?? []), value]);
  }
  return found;
}
