/** DER, the encoding of certificates: a tag, a length and what is in it. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  const { length } = body;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
}

export const sequence = (...items: readonly Uint8Array[]): Buffer => der(0x30, ...items);
export const setOf = (...items: readonly Uint8Array[]): Buffer => der(0x31, ...items);
export const bool = (value: boolean): Buffer => der(0x01, Buffer.from([value ? 0xff : 0]));
export const octets = (value: Uint8Array): Buffer => der(0x04, value);
export const utf8 = (value: string): Buffer => der(0x0c, Buffer.from(value));
export const bits = (value: Uint8Array, unused = 0): Buffer => der(0x03, Buffer.from([unused]), value);

/** Not negative. */
export function integer(value: Uint8Array): Buffer {
  return der(0x02, (value[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), value]) : value);
}

export function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = rest.flatMap((part) => {
    const groups = [part & 0x7f];
    for (let left = part >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    return groups;
  });
  return der(0x06, Buffer.from([first * 40 + second, ...bytes]));
}

/** GeneralizedTime after 2049, UTCTime before, as RFC 5280 asks for. */
export function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, '');
  return date.getUTCFullYear() > 2049
    ? der(0x18, Buffer.from(digits))
    : der(0x17, Buffer.from(digits.slice(2)));
}
