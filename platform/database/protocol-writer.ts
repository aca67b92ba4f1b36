const parse = 0x50;
const bind = 0x42;
const describe = 0x44;
const execute = 0x45;
const close = 0x43;
const sync = 0x53;
const statement = 0x53;

// Bytes of the buffer; what was longer once is not kept for what is short again.
const leastKept = 4_096;
const mostKept = 1_048_576;

/** A value of a bound statement, as text. */
export type BoundValue = string | null;

/**
 * Messages of PostgreSQL's extended protocol, one behind the other in one buffer: what is asked for together leaves in
 * one write. Statements are named, portals are not; all values are text.
 */
export class ProtocolWriter {
  private buffer = Buffer.allocUnsafe(leastKept);
  private length = 0;
  private begun = 0;

  parse(name: string, sql: string): this {
    // PostgreSQL finds out the types of the parameters.
    return this.begin(parse).text(name).text(sql).int16(0).end();
  }

  /** Asks what the rows of the statement will be. */
  describe(name: string): this {
    return this.begin(describe).byte(statement).text(name).end();
  }

  bind(name: string, values: readonly BoundValue[]): this {
    // The portal, and no formats: all are text, also of what comes back.
    this.begin(bind).byte(0).text(name).int16(0).int16(values.length);
    for (const value of values) this.value(value);
    return this.int16(0).end();
  }

  /** Runs what was bound last, for all of its rows. */
  execute(): this {
    return this.begin(execute).byte(0).int32(0).end();
  }

  /** Forgets a statement, which need not be there. */
  close(name: string): this {
    return this.begin(close).byte(statement).text(name).end();
  }

  /** Ends the transaction that all since the last one was. */
  sync(): this {
    return this.begin(sync).end();
  }

  /** What was written since it was last asked for. */
  take(): Buffer {
    const written = this.buffer.subarray(0, this.length);
    this.length = 0;
    if (this.buffer.length <= mostKept) return Buffer.from(written);
    this.buffer = Buffer.allocUnsafe(leastKept);
    return written;
  }

  private begin(code: number): this {
    this.byte(code);
    this.begun = this.length;
    return this.int32(0);
  }

  /** The length counts itself, but not the code. */
  private end(): this {
    this.putInt32(this.length - this.begun, this.begun);
    return this;
  }

  private byte(value: number): this {
    this.reserve(1);
    this.buffer[this.length] = value;
    this.length += 1;
    return this;
  }

  private int16(value: number): this {
    return this.byte(value >>> 8).byte(value);
  }

  private int32(value: number): this {
    this.reserve(4);
    this.putInt32(value, this.length);
    this.length += 4;
    return this;
  }

  private putInt32(value: number, at: number): void {
    this.buffer[at] = value >>> 24;
    this.buffer[at + 1] = value >>> 16;
    this.buffer[at + 2] = value >>> 8;
    this.buffer[at + 3] = value;
  }

  private text(text: string): this {
    this.write(text);
    return this.byte(0);
  }

  private value(value: BoundValue): void {
    const at = this.length;
    this.int32(-1);
    if (value !== null) this.putInt32(this.write(value), at);
  }

  private write(text: string): number {
    // A unit of UTF-16 is three bytes of UTF-8 at most.
    this.reserve(3 * text.length);
    const written = this.buffer.write(text, this.length, 'utf8');
    this.length += written;
    return written;
  }

  private reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.buffer.length));
    this.buffer.copy(larger, 0, 0, this.length);
    this.buffer = larger;
  }
}
